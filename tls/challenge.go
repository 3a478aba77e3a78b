package tls

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"

	"domherre/tls/acmeca"
)

// challengeTimeout bounds the look into the store while a CA waits.
const challengeTimeout = 5 * time.Second

// ServeChallenge answers a CA that validates by http-01 (RFC 8555, section
// 8.3), whichever process on the store placed the order. It reports false, and
// has written nothing, where the request is about anything else.
func (m *Manager) ServeChallenge(w http.ResponseWriter, r *http.Request) bool {
	if !isChallenge(r) {
		return false
	}
	ch, ok := m.challenge(r.Context(), hostOnly(r.Host), acme.ChallengeTypeHTTP01)
	if !ok || r.URL.Path != ch.HTTP01ResourcePath() {
		return false
	}
	w.Header().Set("Content-Type", "text/plain")
	if _, err := w.Write([]byte(ch.KeyAuthorization)); err != nil {
		m.log.Debug("certificate: answering http-01", "domain", shown(ch.Identifier.Value), "error", "the CA hung up")
	}
	return true
}

func (m *Manager) challengeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	ch, ok := m.challenge(hello.Context(), hostOf(hello), acme.ChallengeTypeTLSALPN01)
	if !ok {
		return nil, nil
	}
	return acmez.TLSALPN01ChallengeCert(ch)
}

// challenge finds what is being proved for host. Only for names of ours does
// it look into the store: anybody can ask.
func (m *Manager) challenge(ctx context.Context, host, kind string) (acme.Challenge, bool) {
	if !m.table.Load().knows(host) {
		return acme.Challenge{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, challengeTimeout)
	defer cancel()
	for _, iss := range m.issuers {
		if iss.acme == nil || iss.dns01 {
			continue
		}
		ch, ok, err := acmeca.Tokens{Storage: m.o.Storage, Issuer: iss.key}.Find(ctx, host)
		if err != nil {
			m.log.Warn("certificate: looking for a challenge", "domain", shown(host), "error", err)
		}
		if ok && ch.Type == kind {
			return ch, true
		}
	}
	return acme.Challenge{}, false
}

// hostOnly strips the port, and what makes spellings of one name differ.
func hostOnly(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = h
	}
	return strings.ToLower(strings.TrimSuffix(hostport, "."))
}
