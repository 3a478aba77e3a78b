package main

import (
	"fmt"
	"strings"
	"testing"

	"domherre/dnsprovider/dnstest"
)

// A portfolio is written in waves to a real server, which serves each before
// the next, and a change of all domains too.
func TestApplyInWaves(t *testing.T) {
	t.Parallel()
	var zones []string
	for i := range 12 {
		zones = append(zones, fmt.Sprintf("kopa-%d.example", i))
	}
	s := dnstest.StartKnot(t, zones...)
	w := worldOf(t, s, rfc2136("main", s, s.Addr, s.Key), zones...)
	if out, errs, code := w.domherre("apply", "--yes", "--waves"); code != 0 || !strings.Contains(out, "12 applied") {
		t.Fatalf("apply: exit %d\n%s%s", code, out, errs)
	}
	w.write("domherre.yaml", strings.ReplaceAll(w.configOf(rfc2136("main", s, s.Addr, s.Key), ""), "ttl: 1m", "ttl: 2m"))
	if out, errs, code := w.domherre("apply", "--yes", "--waves"); code != 0 || !strings.Contains(out, "12 applied") {
		t.Fatalf("apply: exit %d\n%s%s", code, out, errs)
	}
	if out, errs, code := w.domherre("plan", "--full", "--detailed-exitcode"); code != 0 {
		t.Errorf("plan: exit %d\n%s%s", code, out, errs)
	}
}
