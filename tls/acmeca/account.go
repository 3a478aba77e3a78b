package acmeca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// accounts holds the one account that is used with a CA. It lies in the store
// where certmagic keeps it: acme/<ca>/users/<email>/<user>.json and .key.
type accounts struct {
	ca   *CA
	turn chan struct{} // held while the account is looked up or registered
	acct *acme.Account
}

func newAccounts(c *CA) accounts {
	return accounts{ca: c, turn: make(chan struct{}, 1)}
}

// get gives the account, and registers it the first time ever.
func (a *accounts) get(ctx context.Context) (acme.Account, error) {
	if err := a.take(ctx); err != nil {
		return acme.Account{}, err
	}
	defer a.release()
	if a.acct != nil {
		return *a.acct, nil
	}
	acct, err := a.load(ctx)
	if err == nil && acct.Location != "" && acct.PrivateKey != nil {
		a.acct = &acct
		return acct, nil
	}
	if err != nil {
		return acct, err
	}
	return a.register(ctx)
}

// renew registers the account once more, after the CA said that it doesn't
// know lost.
func (a *accounts) renew(ctx context.Context, lost acme.Account) (acme.Account, error) {
	if err := a.take(ctx); err != nil {
		return acme.Account{}, err
	}
	defer a.release()
	if a.acct != nil && a.acct.Location != lost.Location {
		return *a.acct, nil // somebody else was faster
	}
	a.ca.log.Warn("the CA no longer knows our account: registering it again", "account", lost.Location)
	a.acct = nil
	if err := a.ca.cfg.Storage.Delete(ctx, a.path(".json")); err != nil {
		return acme.Account{}, fmt.Errorf("removing the account that the CA forgot: %w", err)
	}
	return a.register(ctx)
}

func (a *accounts) take(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *accounts) release() { <-a.turn }

// register makes the account at the CA under a lock that all processes share,
// unless one of them just has. The key is stored first: with it, the CA finds
// the account again should the rest be lost.
func (a *accounts) register(ctx context.Context) (acme.Account, error) {
	store := a.ca.cfg.Storage
	lock := "acme_account_" + a.ca.key
	if err := store.Lock(ctx, lock); err != nil {
		return acme.Account{}, fmt.Errorf("locking the account: %w", err)
	}
	defer func() {
		if err := store.Unlock(context.WithoutCancel(ctx), lock); err != nil {
			a.ca.log.Warn("unlocking the account", "error", err)
		}
	}()
	acct, err := a.load(ctx)
	if err != nil {
		return acct, err
	}
	if acct.Location == "" {
		if acct, err = a.create(ctx, acct); err != nil {
			return acct, err
		}
	}
	a.acct = &acct
	return acct, nil
}

// create registers acct, making its key if it has none.
func (a *accounts) create(ctx context.Context, acct acme.Account) (acme.Account, error) {
	cfg := a.ca.cfg
	if acct.PrivateKey == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return acct, err
		}
		pem, err := certmagic.PEMEncodePrivateKey(key)
		if err != nil {
			return acct, err
		}
		if err := cfg.Storage.Store(ctx, a.path(".key"), pem); err != nil {
			return acct, fmt.Errorf("storing the account's key: %w", err)
		}
		acct.PrivateKey = key
	}
	acct = acme.Account{PrivateKey: acct.PrivateKey, TermsOfServiceAgreed: true}
	if cfg.Email != "" {
		acct.Contact = []string{"mailto:" + cfg.Email}
	}
	if cfg.EAB != nil {
		eab := acme.EAB{KeyID: cfg.EAB.KeyID, MACKey: strings.TrimRight(cfg.EAB.MACKey, "=")}
		if err := acct.SetExternalAccountBinding(ctx, a.ca.client, eab); err != nil {
			return acct, fmt.Errorf("binding the account to eab key_id %q: %w", eab.KeyID, err)
		}
	}
	acct, err := persist(ctx, func() (acme.Account, error) { return a.ca.client.NewAccount(ctx, acct) })
	if err != nil {
		return acct, err
	}
	json, err := json.MarshalIndent(acct, "", "\t")
	if err != nil {
		return acct, err
	}
	if err := cfg.Storage.Store(ctx, a.path(".json"), json); err != nil {
		return acct, fmt.Errorf("storing the account: %w", err)
	}
	a.ca.log.Info("registered an account at the CA", "account", acct.Location)
	return acct, nil
}

// load reads the account. One that is missing or damaged comes back without
// its key, its location, or both, and is completed by create.
func (a *accounts) load(ctx context.Context) (acme.Account, error) {
	var acct acme.Account
	reg, err := a.read(ctx, ".json")
	if err != nil {
		return acct, err
	}
	if json.Unmarshal(reg, &acct) != nil || acct.Location == "" {
		acct = acme.Account{}
	}
	pem, err := a.read(ctx, ".key")
	if err != nil || pem == nil {
		return acme.Account{}, err
	}
	key, err := certmagic.PEMDecodePrivateKey(pem)
	if err != nil {
		a.ca.log.Error("the account's key in the store is damaged: making a new account", "key", a.path(".key"))
		return acme.Account{}, nil
	}
	acct.PrivateKey = key
	return acct, nil
}

// read gives nil for what isn't there.
func (a *accounts) read(ctx context.Context, extension string) ([]byte, error) {
	data, err := a.ca.cfg.Storage.Load(ctx, a.path(extension))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the account from the state: %w", err)
	}
	return data, nil
}

// path gives the account's place in the store.
func (a *accounts) path(extension string) string {
	email := strings.ToLower(a.ca.cfg.Email)
	folder, file := email, email
	if email == "" {
		folder, file = "default", "default"
	} else if user, _, ok := strings.Cut(email, "@"); ok && user != "" {
		file = user
	}
	safe := certmagic.StorageKeys.Safe
	return path.Join("acme", safe(a.ca.key), "users", safe(folder), safe(file)+extension)
}

// AccountURI gives the URL of the account that orders are placed with (RFC
// 8657), empty where none is registered yet or the store can't tell.
func (c *CA) AccountURI(ctx context.Context) string {
	acct, err := c.accounts.load(ctx)
	if err != nil || acct.PrivateKey == nil {
		return ""
	}
	return acct.Location
}
