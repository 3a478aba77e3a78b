package dnstest_test

import (
	"errors"
	"testing"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/dnstest"
)

// What the servers answer where a key or a zone is wrong is what the rfc2136
// type reads its advice from.
func TestServers(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...string) *dnstest.Server{"knot": dnstest.StartKnot, "bind": dnstest.StartBIND} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "a.example", "xn--kpasex-wxa.example")
			key, err := dnsclient.NewKey(s.KeyName, s.KeyAlg, s.Key)
			if err != nil {
				t.Fatal(err)
			}
			client := dnsclient.Client{Key: key}
			rrs, err := client.Transfer(t.Context(), s.Addr, "xn--kpasex-wxa.example")
			if err != nil || len(rrs) != 2 {
				t.Fatalf("transfer: %v, %v\n%s", rrs, err, s.Log())
			}
			_, err = client.Transfer(t.Context(), s.Addr, "missing.example")
			var refused *dnsclient.RcodeError
			if !errors.As(err, &refused) || refused.Rcode != dns.RcodeNotAuth {
				t.Errorf("missing zone: %#v", err)
			}
			answer, err := client.Exchange(t.Context(), s.Addr, dnsclient.Question("missing.example", dns.TypeSOA, false))
			if err != nil || answer.Rcode != dns.RcodeRefused {
				t.Errorf("SOA of a missing zone: %v, %v", answer, err)
			}
			for _, k := range [][2]string{{"other.", s.Key}, {s.KeyName, "bm90IHRoZSBzZWNyZXQ="}} {
				wrong, _ := dnsclient.NewKey(k[0], s.KeyAlg, k[1])
				client := dnsclient.Client{Key: wrong}
				_, err = client.Transfer(t.Context(), s.Addr, "a.example")
				t.Logf("%s: %v", k[0], err)
				var tsig *dnsclient.TSIGError
				if !errors.As(err, &tsig) || tsig.Code == 0 {
					t.Errorf("wrong key %q: %#v", k[0], err)
				}
			}
			idle, _ := dnsclient.NewKey(dnstest.IdleKeyName, s.KeyAlg, s.Key)
			client = dnsclient.Client{Key: idle}
			_, err = client.Transfer(t.Context(), s.Addr, "a.example")
			t.Logf("idle key: %#v", err)
			m := new(dns.Msg)
			m.SetUpdate("a.example.")
			a, err := client.ExchangeTCP(t.Context(), s.Addr, m)
			t.Logf("idle key update: %v %#v", a, err)
			m.SetUpdate("missing.example.")
			client.Key = key
			a, err = client.ExchangeTCP(t.Context(), s.Addr, m)
			t.Logf("missing zone update: %v %#v", a, err)
			plain := dnsclient.Client{}
			_, err = plain.Transfer(t.Context(), s.Addr, "a.example")
			t.Logf("no key: %v", err)
		})
	}
}
