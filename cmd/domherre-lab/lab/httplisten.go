package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// httpListener is one HTTP or HTTPS server.
type httpListener struct {
	addr   netip.AddrPort
	server *http.Server
	ended  chan error
}

// listenHTTP starts a server; port 0 takes a free one. With a TLS
// configuration it speaks HTTPS.
func listenHTTP(listen string, conf *tls.Config, handler http.Handler) (*httpListener, error) {
	bound, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	l := &httpListener{
		addr: bound.Addr().(*net.TCPAddr).AddrPort(),
		server: &http.Server{
			Handler:           handler,
			TLSConfig:         conf.Clone(), // the server changes it
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // it would name clients
		},
		ended: make(chan error, 1),
	}
	go func() {
		if conf != nil {
			l.ended <- l.server.ServeTLS(bound, "", "")
		} else {
			l.ended <- l.server.Serve(bound)
		}
	}()
	return l, nil
}

// Close lets answers under way finish, for two seconds at most.
func (l *httpListener) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := l.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.server.Close()
	}
	if ended := <-l.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
