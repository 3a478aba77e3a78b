package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
)

// Reasons of a revocation (RFC 5280, section 5.3.1), by the words for them.
var Reasons = map[string]int{
	"unspecified": 0, "key-compromise": 1, "superseded": 4, "cessation": 5,
}

// Revoke revokes certificates at the CA that issued them, and takes them out of
// the store. It replaces nothing: Renew first, and hand in what Held gave
// before.
func (m *Manager) Revoke(ctx context.Context, held []Held, reason int) error {
	for _, h := range held {
		if err := m.revoke(ctx, h, reason); err != nil {
			return fmt.Errorf("%s: %w", shown(h.task.domain), err)
		}
	}
	return nil
}

func (m *Manager) revoke(ctx context.Context, h Held, reason int) error {
	iss := m.issuerOf(h.cert)
	if iss == nil {
		return fmt.Errorf("its issuer %s is not among tls.issuers, so it can't be asked", h.cert.issuerKey)
	}
	if iss.acme == nil {
		return errors.New("the internal CA revokes nothing: no browser trusts it")
	}
	leaf, err := x509.ParseCertificate(h.cert.leaf())
	if err != nil {
		return err
	}
	key, err := expandKey(h.cert.key())
	if err != nil {
		return err
	}
	if err := iss.acme.Revoke(ctx, leaf, key, reason); err != nil {
		return err
	}
	m.log.Info("certificate revoked", "domain", shown(h.task.domain), "serial", h.cert.serial())
	if err := m.shelf.discard(ctx, h.task.id, h.cert.number); err != nil {
		return fmt.Errorf("it is revoked, but can't be taken out of the state: %w", err)
	}
	return nil
}

// discard marks a generation as revoked, unless there is a newer one already, and
// takes it out.
func (s shelf) discard(ctx context.Context, id string, number int) error {
	there, err := s.folder(ctx, id)
	if err == nil && there.newest() <= number {
		err = s.storage.Store(ctx, revokedKey(id, number), []byte("revoked\n"))
	}
	if err != nil {
		return err
	}
	if err := s.storage.Delete(ctx, generationKey(id, number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
