package term

import (
	"testing"
	"time"
)

func TestRoughly(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		100 * time.Millisecond: "1 s", 53500 * time.Millisecond: "54 s", 119 * time.Second: "119 s",
		5 * time.Minute: "5 min", 119 * time.Minute: "119 min", 12 * time.Hour: "12 h",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s is %q, not %q", d, got, want)
		}
	}
}
