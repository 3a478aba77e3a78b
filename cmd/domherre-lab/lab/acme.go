package lab

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// ACMEOptions sets up the CA.
type ACMEOptions struct {
	Listen     string         // the directory, by HTTPS
	Management string         // Pebble's management endpoints, by HTTPS
	Resolver   netip.AddrPort // asked for every validation
	HTTPPort   int            // where http-01 is validated: the product's port for HTTP
	TLSPort    int            // where tls-alpn-01 is validated: the product's port for HTTPS

	Slow         bool               // wait up to 5 s before each validation, as a CA far away may
	RetryAfter   int                // seconds that clients are told to wait between polls; 0 leaves it to them
	RejectNonces int                // percent of good nonces that are refused
	ReuseAuthz   int                // percent of orders that reuse a valid authorization
	EAB          map[string]string  // key ID → MAC key (base64url); any makes EAB required
	Profiles     map[string]Profile // default: one named "default"
	Roots        int                // issuing roots: the first and alternates; 0 means one

	Authority *Authority // certifies the two listeners
	Log       *slog.Logger
}

// Profile is a certificate profile (draft-ietf-acme-profiles).
type Profile struct {
	Description string
	Lifetime    time.Duration // 0: 90 days
}

// ACME is Pebble, in this process. It validates for real.
type ACME struct {
	issuer     *ca.CAImpl
	directory  *httpListener
	management *httpListener
}

// StartACME starts the CA, with keys of its own that end with the process.
//
// Pebble's validation queue has no way to be stopped: one idle goroutine stays
// behind for each CA that was started.
func StartACME(o ACMEOptions) (*ACME, error) {
	if o.Authority == nil || !o.Resolver.IsValid() {
		return nil, errors.New("lab's CA: it needs an authority and a resolver")
	}
	conf, err := o.Authority.Server()
	if err != nil {
		return nil, err
	}
	issuer, front, err := newPebble(o)
	if err != nil {
		return nil, fmt.Errorf("lab's CA: %w", err)
	}
	a := &ACME{issuer: issuer}
	if a.directory, err = listenHTTP(o.Listen, conf, oneAtATime(front.Handler())); err != nil {
		return nil, fmt.Errorf("lab's CA: %w", err)
	}
	if a.management, err = listenHTTP(o.Management, conf, front.ManagementHandler()); err != nil {
		return nil, errors.Join(fmt.Errorf("lab's CA, management: %w", err), a.directory.Close())
	}
	return a, nil
}

// pebbleEnv guards the environment variables that Pebble reads as it starts:
// the one way to set these options.
var pebbleEnv sync.Mutex

func newPebble(o ACMEOptions) (*ca.CAImpl, wfe.WebFrontEndImpl, error) {
	pebbleEnv.Lock()
	defer pebbleEnv.Unlock()
	restore, err := setenv(map[string]string{
		"PEBBLE_VA_NOSLEEP":          onOff(!o.Slow),
		"PEBBLE_VA_ALWAYS_VALID":     "",
		"PEBBLE_WFE_NONCEREJECT":     strconv.Itoa(o.RejectNonces),
		"PEBBLE_AUTHZREUSE":          strconv.Itoa(o.ReuseAuthz),
		"PEBBLE_VA_SLEEPTIME":        "",
		"PEBBLE_WFE_ORDERS_PER_PAGE": "",
	})
	defer restore()
	if err != nil {
		return nil, wfe.WebFrontEndImpl{}, err
	}
	logger := log.New(io.Discard, "", 0)
	if o.Log != nil {
		logger = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	}
	store := db.NewMemoryStore()
	for id, key := range o.EAB {
		if err := store.AddExternalAccountKeyByID(id, key); err != nil {
			return nil, wfe.WebFrontEndImpl{}, fmt.Errorf("EAB key %q: %w", id, err)
		}
	}
	issuer := ca.New(logger, store, "", "ecdsa", max(o.Roots-1, 0), 1, pebbleProfiles(o.Profiles))
	validator := va.New(logger, o.HTTPPort, o.TLSPort, true, o.Resolver.String(), store)
	front := wfe.New(logger, store, validator, issuer, []string{"pebble.letsencrypt.org"}, true, len(o.EAB) > 0, o.RetryAfter, o.RetryAfter)
	return issuer, front, nil
}

// setenv sets variables and returns what puts the old values back.
func setenv(vars map[string]string) (restore func(), err error) {
	before := map[string]string{}
	var unset []string
	restore = func() {
		for name, value := range before {
			_ = os.Setenv(name, value) // it took the same name a moment ago
		}
		for _, name := range unset {
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range vars {
		if was, had := os.LookupEnv(name); had {
			before[name] = was
		} else {
			unset = append(unset, name)
		}
		if err := os.Setenv(name, value); err != nil {
			return restore, err
		}
	}
	return restore, nil
}

func onOff(on bool) string {
	if on {
		return "1"
	}
	return ""
}

func pebbleProfiles(profiles map[string]Profile) map[string]ca.Profile {
	if len(profiles) == 0 {
		profiles = map[string]Profile{"default": {Description: "ninety days"}}
	}
	out := make(map[string]ca.Profile, len(profiles))
	for name, p := range profiles {
		out[name] = ca.Profile{Description: p.Description, ValidityPeriod: uint64(p.Lifetime / time.Second)}
	}
	return out
}

// Directory is the ACME directory's URL.
func (a *ACME) Directory() string { return "https://" + a.directory.addr.String() + wfe.DirectoryPath }

// Management is the base URL of Pebble's management endpoints.
func (a *ACME) Management() string { return "https://" + a.management.addr.String() }

// RootsPEM gives the issuing roots: trust for the certificates that it issues.
func (a *ACME) RootsPEM() []byte {
	var out bytes.Buffer
	for i := range a.issuer.GetNumberOfRootCerts() {
		block := &pem.Block{Type: "CERTIFICATE", Bytes: a.issuer.GetRootCert(i).DER}
		out.Write(pem.EncodeToMemory(block))
	}
	return out.Bytes()
}

// Close stops both listeners.
func (a *ACME) Close() error {
	return errors.Join(a.directory.Close(), a.management.Close())
}
