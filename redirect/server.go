package redirect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a connection. Visitors ask once and go; whoever is slower than
// this is no visitor.
const (
	handshakeTimeout = 10 * time.Second
	headTimeout      = 10 * time.Second // a request's head, from its first byte
	requestTimeout   = 15 * time.Second // head and body
	answerTimeout    = 15 * time.Second
	idleTimeout      = 60 * time.Second

	maxStreams  = 64       // HTTP/2 streams at once per connection
	frameSize   = 16 << 10 // RFC 9113's smallest maximum
	streamBytes = 16 << 10 // of a body that nobody reads
	connBytes   = 64 << 10

	// drainTime is how long idle HTTP/1 connections may still ask once more
	// when the server shuts down. RFC 9112 has no other way to part without
	// losing a request that is under way.
	drainTime = 500 * time.Millisecond
)

// Server serves a Table. Its methods may be called by many goroutines.
type Server struct {
	table    atomic.Pointer[Table]
	options  Options
	log      *slog.Logger
	tls      *tls.Config // nil without Options.TLS
	common   common
	plain    *http.Server
	secure   *http.Server
	open     atomic.Int64 // HTTP/1 connections
	draining atomic.Bool

	ctx    context.Context // ends with Shutdown
	cancel context.CancelFunc
	mu     sync.Mutex // guards listeners
	listen []*listener
}

// NewServer makes a server that listens nowhere yet.
func NewServer(t *Table, o Options) *Server {
	s := &Server{options: o, log: o.Log, common: newCommon(o.SecurityTxt)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.table.Store(t)
	if o.TLS != nil {
		s.tls = s.serverTLS(o.TLS)
	}
	s.plain = newHTTPServer(s.guarded(s.answerPlain))
	s.secure = newHTTPServer(s.guarded(s.answerSecure))
	return s
}

// newHTTPServer makes one with every limit set. What net/http would log holds
// addresses of clients, so it logs nothing; guarded reports panics.
func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:                      h,
		DisableGeneralOptionsHandler: true,
		ReadTimeout:                  requestTimeout,
		ReadHeaderTimeout:            headTimeout,
		WriteTimeout:                 answerTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHead,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ConnContext:                  withPeer,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReadFrameSize:              frameSize,
			MaxReceiveBufferPerConnection: connBytes,
			MaxReceiveBufferPerStream:     streamBytes,
			PingTimeout:                   answerTimeout,
			SendPingTimeout:               idleTimeout / 2,
			WriteByteTimeout:              answerTimeout,
		},
	}
}

// Swap replaces the table. Requests under way finish by the old one.
func (s *Server) Swap(t *Table) { s.table.Store(t) }

// ServeHTTP serves plain HTTP on l, which it closes, until Shutdown: then it
// returns nil. It may be called for any number of listeners. (It is not the
// method of http.Handler.)
func (s *Server) ServeHTTP(l net.Listener) error { return s.serve(l, s.plain, false) }

// ServeHTTPS serves TLS on l as ServeHTTP serves plain HTTP.
func (s *Server) ServeHTTPS(l net.Listener) error {
	if s.tls == nil {
		return errors.New("serve https: no certificates are configured")
	}
	return s.serve(l, s.secure, true)
}

func (s *Server) serve(l net.Listener, by *http.Server, tls bool) error {
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		return l.Close()
	}
	ln := s.newListener(l, tls)
	s.listen = append(s.listen, ln)
	s.mu.Unlock()
	if err := by.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown stops listening and returns when every request that has come in is
// answered, or with an error when ctx ends first; connections are cut off then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining.Store(true)
	listeners := s.listen
	s.mu.Unlock()
	defer s.cancel()

	var stopping sync.WaitGroup
	for _, l := range listeners {
		stopping.Go(func() { l.stop(ctx) })
	}
	stopping.Wait()
	s.drain(ctx)
	errs := make([]error, 2)
	for i, srv := range []*http.Server{s.plain, s.secure} {
		stopping.Go(func() {
			if errs[i] = srv.Shutdown(ctx); errs[i] != nil {
				errs[i] = errors.Join(errs[i], srv.Close())
			}
		})
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// drain waits until no HTTP/1 connection is left, since every answer says
// "Connection: close" by now, but not long for those that are idle.
func (s *Server) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for s.open.Load() > 0 {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}
