package tls_test

import (
	"testing"

	certs "domherre/tls"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"", "http-01", "tls-alpn-01", "dns-01"} {
		t.Run("challenge "+challenge, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.pebble(pebbleOptions{})
			m := newManager(t, w.options(p.issuer(challenge)))
			w.serve(m)
			m.Manage([]certs.Subject{subject("kopasex.se")})
			run(t, m)
			until(t, m, "issued", allIssued)
			for _, host := range []string{"kopasex.se", "www.kopasex.se"} {
				if _, err := w.handshake(host, p.pool()); err != nil {
					t.Errorf("%s: %v", host, err)
				}
			}
		})
	}
}
