package tls

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/mholt/acmez/v3"
)

// ServerConfig gives what HTTPS listeners need: TLS 1.2 and 1.3 with the
// ciphers of Mozilla's intermediate profile and better, hybrid post-quantum key
// exchange, and our certificates. Names that aren't ours, and connections
// without a name, are refused with the alert unrecognized_name. It answers
// tls-alpn-01 challenges too. It may be cloned, but its certificates and
// tickets stay the Manager's.
func (m *Manager) ServerConfig() *tls.Config { return m.server }

func (m *Manager) newServer() error {
	tickets, err := newTickets(m.now())
	if err != nil {
		return err
	}
	m.tickets = tickets
	m.server = &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		CurvePreferences:   []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256},
		NextProtos:         []string{"h2", "http/1.1"},
		GetCertificate:     m.getCertificate,
		GetConfigForClient: m.configForChallenge,
		// Not keys but functions, so that a clone follows the rotation.
		WrapSession:   tickets.config.EncryptTicket,
		UnwrapSession: tickets.config.DecryptTicket,
	}
	return nil
}

// getCertificate finds the certificate for a handshake in memory; only before
// it was ever loaded, a moment after start, in the store. Neither a certificate
// nor an error makes crypto/tls send unrecognized_name.
func (m *Manager) getCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host, names := hostOf(hello), *m.table.Load()
	c := names.lookup(host)
	if c == nil && m.readUnread(hello.Context(), names.tasks(host)) {
		c = names.lookup(host)
	}
	if c == nil {
		return nil, nil
	}
	return c.certificate()
}

// firstRead bounds how long a handshake waits for the store after start.
const firstRead = 2 * time.Second

// readUnread reads the certificates that weren't loaded yet, and reports whether
// there were such. Handshakes that want the same share one reading.
func (m *Manager) readUnread(ctx context.Context, tasks [2]*task) (read bool) {
	for _, t := range tasks {
		if t == nil || t.read.Load() {
			continue
		}
		read = true
		done := m.reading.DoChan(t.id, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), firstRead)
			defer cancel()
			return nil, m.load(ctx, t, nil)
		})
		select {
		case <-done: // an error shows in the log when Reload meets it
		case <-ctx.Done():
		case <-time.After(firstRead):
		}
	}
	return read
}

// configForChallenge answers a CA that validates by tls-alpn-01 (RFC 8737);
// everyone else goes on with the listener's own configuration.
func (m *Manager) configForChallenge(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if !slices.Equal(hello.SupportedProtos, []string{acmez.ACMETLS1Protocol}) {
		return nil, nil
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		NextProtos:             []string{acmez.ACMETLS1Protocol},
		SessionTicketsDisabled: true,
		GetCertificate:         m.challengeCertificate,
	}, nil
}

func hostOf(hello *tls.ClientHelloInfo) string {
	return strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
}
