package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// inbox takes notifications in.
type inbox struct {
	*httptest.Server
	mu       sync.Mutex
	messages []string
}

func newInbox(t testing.TB) *inbox {
	i := &inbox{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.messages = append(i.messages, string(text))
	}))
	t.Cleanup(i.Close)
	return i
}

// has reports that no message holds all of the words.
func (i *inbox) has(words ...string) func() error {
	return func() error {
		i.mu.Lock()
		defer i.mu.Unlock()
		for _, text := range i.messages {
			missing := false
			for _, word := range words {
				missing = missing || !strings.Contains(text, word)
			}
			if !missing {
				return nil
			}
		}
		return fmt.Errorf("%d messages: %q", len(i.messages), i.messages)
	}
}

// One message when domains break, one when they work again, and no secret of
// the URL anywhere.
func TestNotify(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se", "kopa-tid.test"))
	box := newInbox(t)
	url := "generic+" + box.URL + "/token-of-ours"
	config := strings.Replace(w.config(), "check: {", "check: {every: 1s, ", 1) + "language: sv\nnotify: [{url: \"" + url + "\"}]\n"
	w.write("domherre.yaml", config)
	d := w.start()
	w.until("both are live", w.live("kopasex.se", "kopa-tid.test"))
	// The addresses move away, as far as the config goes; visitors find nobody there.
	w.write("domherre.yaml", strings.Replace(config, "addresses: [127.0.0.1]", "addresses: [127.0.0.2]", 1))
	for _, name := range []string{"kopasex.se", "kopa-tid.test"} {
		w.until("what broke is told", box.has("Du avgör!", "fungerar inte", name+" nås inte", "Driften"))
	}
	w.write("domherre.yaml", config)
	for _, name := range []string{"kopasex.se", "kopa-tid.test"} {
		w.until("what works again is told", box.has("Du avgör!", "fungerar igen", name))
	}
	log := d.output(t)
	if strings.Contains(log, "token-of-ours") {
		t.Error("the log holds the URL's secret")
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.messages) > 6 {
		t.Errorf("a storm: %q", box.messages)
	}
}
