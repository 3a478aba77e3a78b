package redirect

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock gives the value of Date, written once a second.
type clock struct{ now atomic.Pointer[second] }

type second struct {
	unix int64
	text string
}

func (c *clock) date(now time.Time) string {
	s := c.now.Load()
	if s == nil || s.unix != now.Unix() {
		s = &second{unix: now.Unix(), text: now.UTC().Format(http.TimeFormat)}
		c.now.Store(s)
	}
	return s.text
}
