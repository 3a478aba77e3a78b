package embedded_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestIncrementalTransfers applies the changes from every serial that is still
// known to what was served then: what comes of it is what is served now.
func TestIncrementalTransfers(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	_, addr := serve(t, store, "127.0.0.1")
	p := newProvider(t, store)
	past := map[uint32][]string{}
	var order []uint32
	incremental := 0
	for i := range 40 {
		var b strings.Builder
		for j := range 30 {
			fmt.Fprintf(&b, "host%d TXT \"%d;\\\"\\\\\"\n", j, j*max(0, i-j)/30)
		}
		fmt.Fprintf(&b, "@ A 192.0.2.%d\n", i%3)
		write(t, p, "kopasex.example", b.String())
		z, err := p.ReadZone(t.Context(), name(t, "kopasex.example"))
		must(t, err)
		var now []string
		waitSerial(t, addr, z.Serial)
		rrs, _, err := transfer(t, addr, new(dns.Msg).SetAxfr("kopasex.example."))
		must(t, err)
		for _, rr := range rrs[1 : len(rrs)-1] {
			now = append(now, rr.String())
		}
		slices.Sort(now)
		past[z.Serial] = now
		order = append(order, z.Serial)
		for _, serial := range order {
			rrs, _, err := transfer(t, addr, new(dns.Msg).SetIxfr("kopasex.example.", serial, "ns.", "m."))
			must(t, err)
			if got, ok := patched(past[serial], rrs); ok {
				incremental++
				if !slices.Equal(got, now) {
					t.Fatalf("from %d to %d: %q\nwant %q", serial, z.Serial, got, now)
				}
			}
		}
	}
	if incremental < 100 {
		t.Errorf("only %d transfers were incremental", incremental)
	}
}

func waitSerial(t *testing.T, addr string, want uint32) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		a := ask(t, addr, "udp", question("kopasex.example.", "SOA"))
		if len(a.Answer) == 1 && a.Answer[0].(*dns.SOA).Serial == want {
			return
		}
	}
	t.Fatalf("serial %d is not served", want)
}

// patched carries out an incremental transfer; false where it is a whole one or
// says that nothing has changed.
func patched(records []string, rrs []dns.RR) ([]string, bool) {
	if len(rrs) < 3 || rrs[1].Header().Rrtype != dns.TypeSOA {
		return nil, false
	}
	records, adding := slices.Clone(records), true
	for _, rr := range rrs[1 : len(rrs)-1] {
		text := rr.String()
		switch at := slices.Index(records, text); {
		case rr.Header().Rrtype == dns.TypeSOA:
			adding = !adding
		case adding && at < 0:
			records = append(records, text)
		case !adding && at >= 0:
			records = slices.Delete(records, at, at+1)
		default:
			return []string{"can't be carried out: " + text}, true
		}
	}
	slices.Sort(records)
	return records, true
}
