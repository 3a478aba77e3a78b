package dnstest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/dnstest"
)

// What the servers answer to whom is what the rfc2136 type reads its advice
// from; a new version of theirs that answers otherwise shows here.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		server string
		start  func(testing.TB, ...string) *dnstest.Server
		// missing zone, unknown key, wrong secret, key without rights, no key
		want [5]string
	}{
		{"knot", dnstest.StartKnot, [5]string{"NOTAUTH unsigned", "TSIG 17", "TSIG 16", "TSIG 17", "NOTAUTH unsigned"}},
		{"bind", dnstest.StartBIND, [5]string{"NOTAUTH signed", "TSIG 17", "TSIG 16", "REFUSED signed", "REFUSED unsigned"}},
	} {
		t.Run(c.server, func(t *testing.T) {
			t.Parallel()
			s := c.start(t, "a.example", "xn--kpasex-wxa.example")
			transfer := func(zone, key, secret string) string {
				client := dnsclient.Client{}
				if key != "" {
					var err error
					if client.Key, err = dnsclient.NewKey(key, s.KeyAlg, secret); err != nil {
						t.Fatal(err)
					}
				}
				rrs, err := client.Transfer(t.Context(), s.Addr, zone)
				return outcome(rrs, err)
			}
			if got := transfer("xn--kpasex-wxa.example", s.KeyName, s.Key); got != "2 records" {
				t.Fatalf("%s\n%s", got, s.Log())
			}
			for i, got := range []string{
				transfer("missing.example", s.KeyName, s.Key),
				transfer("a.example", "other.", s.Key),
				transfer("a.example", s.KeyName, "d3Jvbmc="),
				transfer("a.example", dnstest.IdleKeyName, s.Key),
				transfer("a.example", "", ""),
			} {
				if got != c.want[i] {
					t.Errorf("case %d: %s, not %s", i, got, c.want[i])
				}
			}
			client := dnsclient.Client{}
			answer, err := client.Exchange(t.Context(), s.Addr, dnsclient.Question("missing.example", dns.TypeSOA, false))
			if err != nil || answer.Rcode != dns.RcodeRefused {
				t.Errorf("a question for a missing zone: %v, %v", answer, err)
			}
		})
	}
}

func outcome(rrs []dns.RR, err error) string {
	var refused *dnsclient.RcodeError
	var tsig *dnsclient.TSIGError
	switch {
	case errors.As(err, &refused) && refused.Signed:
		return dnsclient.RcodeName(refused.Rcode) + " signed"
	case errors.As(err, &refused):
		return dnsclient.RcodeName(refused.Rcode) + " unsigned"
	case errors.As(err, &tsig):
		return fmt.Sprintf("TSIG %d", tsig.Code)
	case err != nil:
		return err.Error()
	}
	return fmt.Sprintf("%d records", len(rrs))
}
