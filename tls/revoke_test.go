package tls_test

import (
	"encoding/pem"
	"slices"
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

// A certificate that is revoked before there is another one, by a command beside
// the daemon: the daemon replaces it as soon as it looks, and a daemon that
// starts afterwards does.
func TestRevokedBeside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pebble(pebbleOptions{})
	o := w.options(p.issuer("http-01"))
	m := newManager(t, o)
	w.serve(m)
	m.Manage(portfolio(1))
	stop := run(t, m)
	until(t, m, "issued", allIssued)
	var serials []string
	revoke := func() {
		t.Helper()
		beside := newManager(t, o)
		beside.Manage(portfolio(1))
		if err := beside.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		held := beside.Held("domain0.example")
		serials = append(serials, held[0].Serial())
		if err := beside.Revoke(t.Context(), held, certs.Reasons["key-compromise"]); err != nil {
			t.Fatal(err)
		}
	}
	replaced := func(es []certs.Entry) bool {
		return allIssued(es) && !slices.Contains(serials, es[0].Serial)
	}
	revoke()
	if err := m.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, m, "replaced", replaced)
	w.mustServe("domain0.example", p)
	stop()

	revoke()
	m = newManager(t, o) // the one before still answers challenges
	m.Manage(portfolio(1))
	run(t, m)
	until(t, m, "replaced", replaced)
	var keys []string
	until(t, m, "what was revoked is gone", func([]certs.Entry) bool {
		var err error
		if keys, err = o.Storage.List(t.Context(), certs.StoragePrefix+"/domain0.example", false); err != nil {
			t.Fatal(err)
		}
		return len(keys) == 2
	})
	if !strings.Contains(strings.Join(keys, " "), "00000003.pem") {
		t.Errorf("the state holds %q", keys)
	}
}
