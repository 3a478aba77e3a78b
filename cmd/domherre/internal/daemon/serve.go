package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/redirect"
	"domherre/web"
)

// serve starts the listeners.
func (d *daemon) serve(g *errgroup.Group, s *sockets) {
	for _, l := range s.http {
		g.Go(func() error { return servingError("http", d.redirect.ServeHTTP(l)) })
	}
	for _, l := range s.https {
		g.Go(func() error { return servingError("https", d.redirect.ServeHTTPS(l)) })
	}
	admin := &http.Server{Handler: d.admin(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: nil}
	for _, l := range s.admin {
		g.Go(func() error {
			err := admin.Serve(l)
			if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
				err = nil
			}
			return servingError("admin", err)
		})
	}
}

// redirectOptions fits the redirector to whichever generation is current.
func (d *daemon) redirectOptions(cfg *config.Config, first *generation) redirect.Options {
	return redirect.Options{
		TLS: d.serverTLS(first.certs.ServerConfig()),
		Challenge: func(w http.ResponseWriter, r *http.Request) bool {
			return d.current.Load().certs.ServeChallenge(w, r)
		},
		Trusted:     func(host string) bool { return d.current.Load().certs.BrowserTrusted(host) },
		Redirected:  d.metrics.Redirected,
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

// admin makes the handler of the admin listener.
func (d *daemon) admin() http.Handler {
	cfg := d.current.Load().cfg
	return web.New(web.Options{
		Language: cfg.Language,
		Token:    cfg.Admin.Token.Reveal(),
		Status:   func(context.Context) (check.Report, error) { return d.report(), nil },
		Plan:     func(context.Context) (any, error) { return d.book.openPlan(), nil },
		Certificates: func(context.Context) (any, error) {
			return wire.CertificatesJSON(d.current.Load().certs.Inventory()), nil
		},
		Metrics: d.metrics,
		Ready: []web.Readiness{
			{Name: "store", Check: d.store.Probe},
		},
		Log: d.log,
	})
}
