package main

import (
	"errors"
	"strings"
	"testing"

	"domherre/dnsprovider/dnstest"
)

// With apply: false the daemon tells what others changed within an interval,
// and leaves it to people.
func TestDriftIsOnlyReported(t *testing.T) {
	t.Parallel()
	s := dnstest.StartKnot(t, "kopasex.se")
	w := worldOf(t, s, rfc2136("main", s, s.Addr, s.Key), "kopasex.se")
	if out, errs, code := w.domherre("apply", "--yes", "--wait"); code != 0 {
		t.Fatalf("apply: exit %d\n%s%s", code, out, errs)
	}
	w.write("domherre.yaml", strings.Replace(w.configOf(rfc2136("main", s, s.Addr, s.Key), ""), "every: 1s}\ncheck", "every: 1s, apply: false}\ncheck", 1))
	d := w.start()
	w.drift(s)
	w.until("the change is told", func() error {
		if !strings.Contains(d.output(w), "the zone isn't as declared") {
			return errors.New("not yet")
		}
		return nil
	})
	w.until("it is measured", w.is(`domherre_pending_changes{op="update"}`, 1))
	if got := lookup(t, s, "www.kopasex.se."); got != "192.0.2.1" {
		t.Errorf("www is at %s: it was put back", got)
	}
	if out, errs, code := w.domherre("apply", "--yes"); code != 0 || !strings.Contains(out, "www A 192.0.2.1") {
		t.Errorf("apply: exit %d\n%s%s", code, out, errs)
	}
	w.until("a person has put it right", w.serves(s, "www.kopasex.se.", "127.0.0.1"))
	w.until("nothing is pending", w.is(`domherre_pending_changes{op="update"}`, 0))
}
