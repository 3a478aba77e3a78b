package tls_test

import (
	"context"
	"net"
	"testing"

	certs "domherre/tls"
)

// A process that serves nothing answers the CA itself, and leaves a port that
// is in use to who has it.
func TestListenForChallenges(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"http-01", "tls-alpn-01"} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.pebble(pebbleOptions{})
			m := newManager(t, w.options(p.issuer(challenge)))
			w.httpLn.Close()
			w.httpsLn.Close()
			ctx, cancel := context.WithCancel(t.Context())
			if err := m.ListenForChallenges(ctx); err != nil {
				t.Fatal(err)
			}
			if err := newManager(t, w.options(p.issuer(challenge))).ListenForChallenges(ctx); err != nil {
				t.Errorf("ports in use: %v", err)
			}
			m.Manage([]certs.Subject{subject("kopasex.se")})
			run(t, m)
			until(t, m, "issued", allIssued)
			cancel()
			for {
				conn, err := net.Dial("tcp", w.httpLn.Addr().String())
				if err != nil {
					break // closed
				}
				conn.Close()
			}
		})
	}
}

func TestCAAIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer("dns-01"), certs.Issuer{ACME: "https://acme-v02.api.letsencrypt.org/directory"},
		certs.Issuer{ACME: "https://127.0.0.1:1/dir"})
	m := newManager(t, o)
	ids := m.CAAIdentities(t.Context())
	if len(ids) != 3 {
		t.Fatalf("%+v", ids)
	}
	if ids[0].Domains[0] != "pebble.test" || ids[0].Methods[0] != "dns-01" || ids[0].AccountURI != "" {
		t.Errorf("from the directory: %+v", ids[0])
	}
	if ids[1].Domains[0] != "letsencrypt.org" || len(ids[1].Methods) != 2 {
		t.Errorf("known: %+v", ids[1])
	}
	if ids[2].Domains != nil || ids[2].Reason == "" {
		t.Errorf("unreachable: %+v", ids[2])
	}
	p.down.Store(true) // what it said is remembered
	if again := newManager(t, o).CAAIdentities(t.Context()); again[0].Domains[0] != "pebble.test" {
		t.Errorf("from the store: %+v", again[0])
	}
}
