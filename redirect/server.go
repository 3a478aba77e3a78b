package redirect

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/maphash"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
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

	// handedIdle is for connections that have gone to net/http, which needs
	// more memory for each.
	handedIdle = 5 * time.Second
	maxHanded  = 4096

	// maxSessions bounds the memory of connections, and maxCrowd that of those
	// which keep us waiting in the middle of something: a quarter of all, but
	// enough for many visitors at once.
	maxSessions        = 1 << 16
	minCrowd, maxCrowd = 512, 1 << 12

	// drainTime is how long idle HTTP/1 connections may still ask once more
	// when the server shuts down. RFC 9112 has no other way to part without
	// losing a request that is under way.
	drainTime = 500 * time.Millisecond
	// newTime is how long those have who have connected and not asked yet:
	// clients take a request up anew only where one was answered before.
	newTime = 2 * time.Second
)

// Server serves a Table. Its methods may be called by many goroutines.
type Server struct {
	table     atomic.Pointer[Table]
	options   Options
	log       *slog.Logger
	tls       *tls.Config // nil without Options.TLS
	common    common
	plain     *http.Server
	secure    *http.Server
	clock     clock
	gate      gate
	lanes     laneKey
	crowd     crowd
	greetings greetings
	sessions  registry[*session] // what we answer ourselves
	handed    registry[*conn]    // what net/http answers
	guests    registry[*guest]   // by QUIC
	draining  atomic.Bool
	http3At   atomic.Pointer[string] // value of Alt-Svc once HTTP/3 is served

	ctx    context.Context // ends with Shutdown
	cancel context.CancelFunc
	mu     sync.Mutex // guards what follows
	listen []*listener
	quic   []*http3Server
}

// NewServer makes a server that listens nowhere yet.
func NewServer(t *Table, o Options) *Server {
	s := &Server{options: o, log: o.Log, common: newCommon(o.SecurityTxt), lanes: laneKey{maphash.MakeSeed()}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.sessions.limit, s.handed.limit, s.guests.limit = sessionLimit(o.MaxConnections), maxHanded, maxQUIC
	s.crowd.limit = int(min(max(s.sessions.limit/4, minCrowd), maxCrowd))
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.table.Store(t)
	if o.TLS != nil {
		s.tls = s.serverTLS(o.TLS)
	}
	s.plain = newHTTPServer(s.guarded(s.answerPlain))
	s.secure = newHTTPServer(s.guarded(s.answerSecure))
	return s
}

// sessionLimit is what is configured, or what the limit of open files allows.
func sessionLimit(configured int) int64 {
	if configured > 0 {
		return int64(configured)
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return maxSessions
	}
	return int64(max(min(files.Cur*3/4, maxSessions), 64))
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
		IdleTimeout:                  handedIdle,
		MaxHeaderBytes:               maxHead,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ConnContext:                  withPeer,
	}
}

// altSvc tells where HTTP/3 is served, or "".
func (s *Server) altSvc() string {
	if at := s.http3At.Load(); at != nil {
		return *at
	}
	return ""
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
	errs := make([]error, 4)
	stopping.Go(func() { errs[3] = s.stopHTTP3(ctx) })
	errs[0] = s.drain(ctx)
	for i, srv := range []*http.Server{s.plain, s.secure} {
		stopping.Go(func() {
			if errs[i+1] = srv.Shutdown(ctx); errs[i+1] != nil {
				errs[i+1] = errors.Join(errs[i+1], srv.Close())
			}
		})
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// drain waits until no connection is left. Every answer says "Connection:
// close" by now; those that are idle are given drainTime to ask once more, and
// those that are new newTime to ask at all.
func (s *Server) drain(ctx context.Context) error {
	s.sessions.each((*session).leave)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	end := time.Now().Add(drainTime)
	for s.sessions.open.Load() > 0 || s.handed.open.Load() > 0 && time.Now().Before(end) {
		select {
		case now := <-look.C:
			if now.After(end) {
				s.sessions.each(func(c *session) { c.over(stateIdle) })
			}
			if now.After(end.Add(newTime - drainTime)) {
				s.sessions.each(func(c *session) { c.evict() })
			}
		case <-ctx.Done():
			s.sessions.each(func(c *session) { go c.socket.Close() }) // which waits for those that are busy
			return ctx.Err()
		}
	}
	return nil
}
