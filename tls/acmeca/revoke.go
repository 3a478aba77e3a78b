package acmeca

import (
	"context"
	"crypto"
	"crypto/x509"

	"github.com/mholt/acmez/v3/acme"
)

// Revoke revokes a certificate of this CA, for a reason of RFC 5280, section
// 5.3.1. It signs with the certificate's own key, so that it can be done when
// the account is lost. One that is revoked already is no error, any other is a
// *Failure.
func (c *CA) Revoke(ctx context.Context, leaf *x509.Certificate, key crypto.Signer, reason int) error {
	began := c.cfg.Now()
	_, err := persist(ctx, func() (struct{}, error) {
		return struct{}{}, c.client.RevokeCertificate(ctx, acme.Account{}, leaf, key, reason)
	})
	if err == nil || isProblem(err, acme.ProblemTypeAlreadyRevoked) {
		return nil
	}
	return c.failure("revoking the certificate", "", began, err)
}
