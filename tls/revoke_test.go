package tls_test

import (
	"encoding/pem"
	"strings"
	"testing"

	certs "domherre/tls"
)

// A certificate is replaced, then the one before revoked: the CA knows, and the
// store doesn't hold it any more.
func TestRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer("http-01"))
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(2))
	renew(t, m, certs.Errand{})
	old := m.Held("domain1.example")
	renew(t, m, certs.Errand{Domains: []string{"domain1.example"}, Force: true})
	if err := m.Revoke(t.Context(), old, certs.Reasons["superseded"]); err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode(old[0].Chain()); p.db.GetRevokedCertificateByDER(block.Bytes) == nil {
		t.Error("the CA doesn't know that it is revoked")
	}
	if err := m.Revoke(t.Context(), old, 0); err != nil {
		t.Errorf("once more: %v", err)
	}
	keys, err := o.Storage.List(t.Context(), certs.StoragePrefix+"/domain1.example", false)
	if err != nil || strings.Contains(strings.Join(keys, " "), "00000001.pem") {
		t.Errorf("the state holds %v, %v", keys, err)
	}
	w.mustServe("domain1.example", p)
	if now := m.Held("domain1.example"); now[0].Serial() == old[0].Serial() {
		t.Error("the revoked certificate is served")
	}
}

// renew runs an errand that must issue everything.
func renew(t *testing.T, m *certs.Manager, e certs.Errand) {
	t.Helper()
	done, err := m.Renew(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range done {
		if r.Outcome != certs.Issued {
			t.Fatalf("%+v", r)
		}
	}
}
