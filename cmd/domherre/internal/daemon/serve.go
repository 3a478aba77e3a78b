package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"domherre/check"
	"domherre/config"
	"domherre/redirect"
	"domherre/web"
)

// serve starts the listeners, and gives the server of the admin listener.
func (d *daemon) serve(g *errgroup.Group, s *sockets) *http.Server {
	for _, l := range s.http {
		g.Go(func() error { return servingError("http", d.redirect.ServeHTTP(l)) })
	}
	for _, l := range s.https {
		g.Go(func() error { return servingError("https", d.redirect.ServeHTTPS(l)) })
	}
	d.serveHTTP3(context.Background(), g, s)
	// What net/http would log holds addresses of clients.
	admin := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.current.Load().admin.ServeHTTP(w, r) }),
		ReadHeaderTimeout: adminTimeout, ReadTimeout: adminTimeout, WriteTimeout: 2 * adminTimeout,
		IdleTimeout: 6 * adminTimeout, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	for _, l := range s.admin {
		g.Go(func() error {
			err := admin.Serve(l)
			if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
				err = nil
			}
			return servingError("admin", err)
		})
	}
	return admin
}

const adminTimeout = 10 * time.Second

// redirectOptions fits the redirector to whichever generation is current.
func (d *daemon) redirectOptions(cfg *config.Config, first *generation) redirect.Options {
	return redirect.Options{
		TLS: d.serverTLS(first.certs.ServerConfig()),
		Challenge: func(w http.ResponseWriter, r *http.Request) bool {
			return d.current.Load().certs.ServeChallenge(w, r)
		},
		Trusted:     func(host string) bool { return d.current.Load().certs.BrowserTrusted(host) },
		Visited:     d.visits.Visited,
		SecurityTxt: cfg.SecurityTxt,
		ProxyFrom:   cfg.Listen.ProxyFrom,
		Log:         d.log,
	}
}

// serverTLS is the first generation's, but asks the current one.
func (d *daemon) serverTLS(first *tls.Config) *tls.Config {
	cfg := first.Clone()
	current := func() *tls.Config { return d.current.Load().certs.ServerConfig() }
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return current().GetCertificate(hello)
	}
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return current().GetConfigForClient(hello)
	}
	cfg.WrapSession = func(c tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
		return current().WrapSession(c, s)
	}
	cfg.UnwrapSession = func(id []byte, c tls.ConnectionState) (*tls.SessionState, error) {
		return current().UnwrapSession(id, c)
	}
	return cfg
}

// adminHandler makes the handler of the admin listener.
func (d *daemon) adminHandler(n *generation) http.Handler {
	return web.New(web.Options{
		Language: n.cfg.Language,
		Token:    n.cfg.Admin.Token.Reveal(),
		Status:   func(context.Context) (check.Report, error) { return d.report(), nil },
		Plan:     func(context.Context) (any, error) { return d.plan(), nil },
		Certificates: func(context.Context) (any, error) {
			return d.certificateList(), nil
		},
		Hits:    func(ctx context.Context, since string) (any, error) { return d.hitRows(ctx, since) },
		Metrics: d.metrics,
		Ready:   d.readiness(),
		Log:     n.log,
	})
}
