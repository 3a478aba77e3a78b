package check

import (
	"crypto/x509"
	"errors"
	"strconv"
	"time"
)

// A certificate is renewed with a third of its lifetime left. Below these
// shares the renewals must have failed for a while.
const (
	warnShare   = 0.30
	brokenShare = 0.10
)

// certificate judges what visitors are shown: the first fault of the worst
// kind is told.
func (r run) certificate(visits []visit) verdict {
	worst := verdict{}
	for _, v := range visits {
		found := r.shown(v)
		if severity(found.state) > severity(worst.state) {
			worst = found
		}
	}
	return worst
}

// shown judges the certificate that one visit met.
func (r run) shown(v visit) verdict {
	with := words{"host": unicodeHost(v.host.Name), "address": v.secure.at.String()}
	switch {
	case v.secure.dial != nil:
		with["reason"] = v.secure.dial
		return verdict{CheckCertificate, StateUnknown, certificateUnseen, with}
	case v.secure.tls != nil:
		return r.missing(v, with)
	}
	leaf := v.secure.chain[0]
	with["issuer"], with["date"] = issuer(leaf), leaf.NotAfter.Format(dateForm)
	with["names"] = listNames(leaf.DNSNames)
	if leaf.VerifyHostname(visited(v.host.Name)) != nil {
		return verdict{CheckCertificate, StateBroken, wrongName, with}
	}
	if r.now.After(leaf.NotAfter) {
		return verdict{CheckCertificate, StateBroken, expired, with}
	}
	if err := r.trusted(v.secure.chain); err != nil {
		with["reason"] = err
		return verdict{CheckCertificate, StateBroken, untrusted, with}
	}
	return r.remaining(leaf, with)
}

// missing says why there is no certificate.
func (r run) missing(v visit, with words) verdict {
	state := r.s.Certificate
	switch {
	case state.Certificate != nil:
		with["reason"] = v.secure.tls
		return verdict{CheckCertificate, StateBroken, noSecure, with}
	case state.LastError != "":
		with["reason"] = reported(state.LastError)
		return verdict{CheckCertificate, StateBroken, notIssued, with}
	case state.Barred:
		with["reason"] = reported(state.Waiting)
		return verdict{CheckCertificate, StateBroken, notPermitted, with}
	case state.Waiting != "":
		with["reason"] = reported(state.Waiting)
		return verdict{CheckCertificate, StateWaiting, issueWaits, with}
	}
	return verdict{CheckCertificate, StateWaiting, beingIssued, with}
}

// trusted verifies the chain up to one of the trusted roots.
func (r run) trusted(chain []*x509.Certificate) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: r.c.Roots, Intermediates: between, CurrentTime: r.now,
	})
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return errUnknownIssuer
	}
	return err
}

// remaining judges a good certificate by the time that it has left.
func (r run) remaining(leaf *x509.Certificate, with words) verdict {
	left := leaf.NotAfter.Sub(r.now)
	share := float64(left) / float64(max(leaf.NotAfter.Sub(leaf.NotBefore), time.Second))
	with["days"] = strconv.Itoa(int(left / (24 * time.Hour)))
	with["reason"] = noReason
	if c := r.s.Certificate.Certificate; c != nil && c.LastError != "" {
		with["reason"] = reported(c.LastError)
	}
	switch {
	case share < brokenShare:
		return verdict{CheckCertificate, StateBroken, nearlyOver, with}
	case share < warnShare:
		return verdict{CheckCertificate, StateWarning, renewalLate, with}
	case r.s.Certificate.Internal:
		return verdict{CheckCertificate, StateWarning, internalIssuer, with}
	}
	return verdict{CheckCertificate, StateOK, certified, with}
}

func issuer(leaf *x509.Certificate) string {
	if names := leaf.Issuer.Organization; len(names) > 0 {
		return names[0]
	}
	return orDefault(leaf.Issuer.CommonName, leaf.Issuer.String())
}
