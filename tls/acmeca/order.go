package acmeca

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// Replace orders a certificate for the DNS names of csr, in place of old if
// that isn't nil: CAs exempt such an order from their limits when it comes in
// the window that they suggested (RFC 9773, section 5). It takes as long as
// the CA does; bound it by ctx. The error is a *Failure.
func (c *CA) Replace(ctx context.Context, csr *x509.CertificateRequest, old *x509.Certificate) (*certmagic.IssuedCertificate, error) {
	began := c.cfg.Now()
	acct, err := c.accounts.get(ctx)
	if err != nil {
		return nil, c.failure("registering the account", "", began, err)
	}
	chain, err := c.obtain(ctx, acct, csr, old)
	if isProblem(err, acme.ProblemTypeAccountDoesNotExist) {
		if acct, err = c.accounts.renew(ctx, acct); err != nil {
			return nil, c.failure("registering the account", "", began, err)
		}
		chain, err = c.obtain(ctx, acct, csr, old)
	}
	if err != nil {
		return nil, c.failure("ordering the certificate", "", began, err)
	}
	return &certmagic.IssuedCertificate{Certificate: chain.ChainPEM, Metadata: chain}, nil
}

// obtain walks through orders until one is issued: a name that one type of
// challenge failed for gets another chance with the next type.
func (c *CA) obtain(ctx context.Context, acct acme.Account, csr *x509.CertificateRequest, old *x509.Certificate) (acme.Certificate, error) {
	solvers := c.solvers()
	for {
		w := &walk{ca: c, acct: acct, began: c.cfg.Now(), solvers: solvers}
		chain, err := w.run(ctx, csr, old)
		if err == nil {
			return chain, nil
		}
		var f *Failure
		if len(solvers) < 2 || ctx.Err() != nil || !errors.As(err, &f) || f.Kind != Validation || isProblem(err, acme.ProblemTypeCAA) {
			return chain, err
		}
		c.log.Debug("trying the next type of challenge", "failed", solvers[0].Type, "error", err)
		solvers = solvers[1:]
	}
}

// walk is one order on its way.
type walk struct {
	ca      *CA
	acct    acme.Account
	began   time.Time
	solvers []Solver
}

// run is the whole way of an order (RFC 8555, section 7.4).
func (w *walk) run(ctx context.Context, csr *x509.CertificateRequest, old *x509.Certificate) (acme.Certificate, error) {
	order, err := w.place(ctx, csr.DNSNames, old)
	if err != nil {
		return acme.Certificate{}, w.failure("placing the order", "", err)
	}
	if err := w.authorize(ctx, order); err != nil {
		return acme.Certificate{}, err
	}
	order, err = w.finalize(ctx, order, csr.Raw)
	if err != nil {
		return acme.Certificate{}, w.failure("waiting for the certificate", "", err)
	}
	chains, err := persist(ctx, func() ([]acme.Certificate, error) {
		return w.ca.client.GetCertificateChain(ctx, w.acct, order.Certificate)
	})
	if err != nil {
		return acme.Certificate{}, w.failure("fetching the certificate", "", err)
	}
	return w.ca.choose(chains)
}

func (w *walk) failure(step, name string, err error) error {
	return w.ca.failure(step, name, w.began, err)
}

// place creates the order.
func (w *walk) place(ctx context.Context, names []string, old *x509.Certificate) (acme.Order, error) {
	order := acme.Order{Profile: w.ca.cfg.Profile}
	for _, name := range names {
		order.Identifiers = append(order.Identifiers, acme.Identifier{Type: "dns", Value: name})
	}
	if old != nil {
		id, err := acme.ARIUniqueIdentifier(old)
		if err == nil && w.ca.supportsARI() {
			order.Replaces = id
		}
	}
	create := func() (acme.Order, error) { return w.ca.client.NewOrder(ctx, w.acct, order) }
	placed, err := persist(ctx, create)
	if order.Replaces != "" && refusesReplacing(err) {
		w.ca.log.Debug("the CA won't replace the old certificate: ordering without", "error", err)
		order.Replaces = ""
		placed, err = persist(ctx, create)
	}
	return placed, err
}

// refusesReplacing reports whether the order may pass without its replaces
// field: the CA has forgotten the old certificate, or replaced it already.
func refusesReplacing(err error) bool {
	return isProblem(err, acme.ProblemTypeAlreadyReplaced, acme.ProblemTypeMalformed, acme.ProblemTypeServerInternal,
		acme.ProblemTypeUnauthorized)
}

// finalize sends the CSR and waits until the certificate is issued.
func (w *walk) finalize(ctx context.Context, order acme.Order, csr []byte) (acme.Order, error) {
	for pause := firstPoll; ; pause = min(pause*2, lastPoll) {
		current, err := persist(ctx, func() (acme.Order, error) { return w.ca.client.GetOrder(ctx, w.acct, order) })
		if err != nil {
			return order, err
		}
		current.Location = order.Location
		switch current.Status {
		case acme.StatusValid:
			return current, nil
		case acme.StatusInvalid:
			if current.Error != nil {
				return order, *current.Error
			}
			return order, errors.New("the CA declared the order invalid")
		case acme.StatusReady:
			done, err := w.ca.client.FinalizeOrder(ctx, w.acct, current, csr)
			if err == nil {
				return done, nil
			}
			if final(err) {
				return order, err
			}
		}
		if err := sleep(ctx, pause); err != nil {
			return order, fmt.Errorf("the order is still %s: %w", current.Status, err)
		}
	}
}

// final reports whether an error of finalising is the CA's last word. An
// answer that was lost on the way isn't: the order itself tells.
func final(err error) bool {
	var p acme.Problem
	return errors.As(err, &p) &&
		!isProblem(err, acme.ProblemTypeBadNonce, acme.ProblemTypeOrderNotReady, acme.ProblemTypeServerInternal)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// choose picks the preferred chain, or the CA's first.
func (c *CA) choose(chains []acme.Certificate) (acme.Certificate, error) {
	if len(chains) == 0 {
		return acme.Certificate{}, errors.New("the CA issued, but handed out no certificate")
	}
	if c.cfg.PreferredChain == "" {
		return chains[0], nil
	}
	for _, chain := range chains {
		if leadsTo(chain.ChainPEM, c.cfg.PreferredChain) {
			return chain, nil
		}
	}
	c.log.Warn("the CA offers no chain like the preferred one: using its first", "preferred_chain", c.cfg.PreferredChain)
	return chains[0], nil
}

// leadsTo reports whether a certificate of the chain was issued by name.
func leadsTo(chain []byte, name string) bool {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err == nil && cert.Issuer.CommonName == name {
			return true
		}
	}
	return false
}
