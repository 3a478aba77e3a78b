package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"domherre/state"
	"domherre/state/statetest"
)

// stallingCA has issued, but doesn't say so before goOn is closed.
type stallingCA struct {
	*fakeCA
	issued, goOn chan struct{}
}

func (s *stallingCA) Replace(ctx context.Context, csr *x509.CertificateRequest, old *x509.Certificate) (*certmagic.IssuedCertificate, error) {
	c, err := s.fakeCA.Replace(ctx, csr, old)
	close(s.issued)
	<-s.goOn
	return c, err
}

// A leader that was out of the world while its lease and its locks lapsed, and
// comes back in the middle of an order, writes nothing over what the next leader
// wrote, whether it has noticed or not.
func TestStalledLeader(t *testing.T) {
	t.Parallel()
	server, folder := statetest.Postgres(t), t.TempDir()
	for name, test := range map[string]struct {
		location string
		lapse    func() // takes away all locks and leases
	}{
		"postgres": {server.URL("stalled"), func() { server.Exec(`UPDATE stalled.lock SET expires = clock_timestamp() - interval '1 second'`) }},
		"files": {folder, func() {
			locks, err := filepath.Glob(filepath.Join(folder, ".l*", "*"))
			if err != nil || len(locks) < 2 {
				t.Fatalf("there are the locks %q, %v", locks, err)
			}
			for _, file := range locks {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newFakeCA(t)
			stalled := &stallingCA{ca, make(chan struct{}), make(chan struct{})}
			stop := leads(t, test.location, ca, stalled)
			<-stalled.issued
			test.lapse()
			end := leads(t, test.location, ca, ca)
			store := openStore(t, test.location)
			for deadline := time.After(20 * time.Second); len(stored(t, store)) != 2 || retried(t, store); {
				select {
				case <-deadline:
					t.Fatalf("the next leader has no certificate: %q", stored(t, store))
				case <-time.After(10 * time.Millisecond):
				}
			}
			before := stored(t, store)
			close(stalled.goOn)
			stop()
			end()
			if after := stored(t, store); after[generationKey("domain0.example", 1)] != before[generationKey("domain0.example", 1)] || len(after) != 2 || retried(t, store) {
				t.Errorf("%q\nwas written over\n%q", after, before)
			}
			if n := ca.placed(); n != 2 {
				t.Errorf("%d orders", n)
			}
		})
	}
}

// leads has a process of its own, but for the name, take the lead and keep the
// certificate of one domain. end returns when it has stopped.
func leads(t *testing.T, location string, ca *fakeCA, issues authority) (end func()) {
	t.Helper()
	store := openStore(t, location)
	lease, err := store.AcquireWait(t.Context(), "lead", state.Holder{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := ca.over(t, store, false)
	m.issuers[0].ca = issues
	m.Manage(fleet(1))
	running, stop := context.WithCancel(lease.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(running); err != nil {
			t.Error(err)
		}
	}()
	return func() { stop(); <-done }
}

func openStore(t *testing.T, location string) state.Store {
	t.Helper()
	store, err := state.Open(t.Context(), location, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// stored gives the certificates of a state, and what is kept beside them.
func stored(t *testing.T, store state.Store) map[string]string {
	t.Helper()
	values := map[string]string{}
	keys, err := store.List(t.Context(), folderOf("domain0.example"), false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, k := range keys {
		if value, err := store.Load(t.Context(), k); err == nil {
			values[k] = string(value)
		}
	}
	return values
}

// retried reports whether the record tells of attempts that came to nothing.
func retried(t *testing.T, store state.Store) bool {
	t.Helper()
	r, err := shelf{store}.load(t.Context(), "domain0.example", time.Now())
	return err != nil || r.Attempts > 0
}
