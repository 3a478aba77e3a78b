package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/netutil"
)

// WatchedStore is a Store that tells of changes by other processes.
type WatchedStore interface {
	Store
	Watch(ctx context.Context, prefix string) (<-chan string, error)
}

// ServerOptions say how a Server serves.
type ServerOptions struct {
	Secondaries Secondaries // nobody may transfer zones where it is zero
	Log         *slog.Logger
}

// Server answers authoritatively for the zones in a store, over UDP and TCP
// (RFC 1034, 1035, 2181, 2308, 4592, 6891, 8482). It knows no recursion and
// refuses what lies in no zone of its own. Zones are read when they are asked
// for first, and again when they change.
//
// No question is logged: what resolvers ask hints at who visits a domain.
type Server struct {
	store       WatchedStore
	secondaries Secondaries
	notifiers   []*notifier
	catalog     catalog
	log         *slog.Logger
	zones       sync.Map // of apex names to *slot
	keys        <-chan string
}

// slot is the place of one zone, kept also once the zone is gone.
type slot struct {
	mu    sync.Mutex // held while the zone is read
	zone  atomic.Pointer[zone]
	state atomic.Int32
}

// States of a slot.
const (
	unread = iota // nobody has asked for it yet
	served        // zone is as the store had it last
	failed        // the last reading failed: zone is older, or nil
	gone          // the store has no such zone
)

// NewServer makes a Server for the zones in store; ctx bounds its watch for
// changes. It answers once Serve is called.
func NewServer(ctx context.Context, store WatchedStore, o ServerOptions) (*Server, error) {
	s := &Server{store: store, secondaries: o.Secondaries, log: o.Log}
	for _, to := range o.Secondaries.Notify {
		s.notifiers = append(s.notifiers, newNotifier(s, to))
	}
	var err error
	if s.keys, err = store.Watch(ctx, keyPrefix); err != nil {
		return nil, fmt.Errorf("watching the zones: %w", err)
	}
	keys, err := store.List(ctx, keyPrefix, false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the zones: %w", err)
	}
	for _, key := range keys {
		if name, ok := zoneOfKey(key); ok {
			s.zones.Store(name+".", &slot{})
			s.announce(name + ".") // they may have missed what changed meanwhile
		}
	}
	s.startCatalog()
	go s.follow(ctx)
	for _, n := range s.notifiers {
		n.start(ctx)
	}
	return s, nil
}

// retryEvery is how often a zone that could not be read is tried again.
const retryEvery = 2 * time.Second

// follow takes in changes until ctx or the store's watch ends.
func (s *Server) follow(ctx context.Context) {
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	for {
		select {
		case key, ok := <-s.keys:
			if !ok {
				return
			}
			s.changed(ctx, key)
		case <-ticker.C:
			s.zones.Range(func(apex, value any) bool {
				if sl := value.(*slot); sl.state.Load() == failed {
					s.read(ctx, apex.(string), sl, func(state int32) bool { return state == failed })
				}
				return ctx.Err() == nil
			})
		}
	}
}

// changed takes in a change of the value at key. A zone that nobody has asked
// for is left until somebody does.
func (s *Server) changed(ctx context.Context, key string) {
	if name, ok := zoneOfKey(key); ok {
		value, _ := s.zones.LoadOrStore(name+".", &slot{})
		sl := value.(*slot)
		s.read(ctx, name+".", sl, func(state int32) bool { return state != unread || s.catalog.apex != "" })
		s.list(name+".", sl)
		s.announce(name + ".")
	}
}

// patience bounds the reading of a zone.
const patience = 2 * time.Second

// read reads a zone anew if the slot's state still asks for it. It holds the
// slot's lock, so that an older zone never takes a newer one's place.
func (s *Server) read(ctx context.Context, apex string, sl *slot, wanted func(state int32) bool) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if !wanted(sl.state.Load()) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	z, err := s.load(ctx, strings.TrimSuffix(apex, "."))
	switch {
	case err == nil:
		sl.zone.Store(z)
		sl.state.Store(served)
	case errors.Is(err, fs.ErrNotExist):
		sl.zone.Store(nil)
		sl.state.Store(gone)
	default:
		if sl.state.Swap(failed) != failed {
			s.log.Error("a zone can't be served as it is in the state; trying again", "zone", apex, "err", err)
		}
	}
}

func (s *Server) load(ctx context.Context, name string) (*zone, error) {
	value, err := s.store.Load(ctx, keyPrefix+"/"+name+keySuffix)
	if err != nil {
		return nil, err
	}
	content, err := decode(name, value)
	if err != nil {
		return nil, err
	}
	return newZone(content)
}

// zoneFor finds the zone that name, in lower case, lies in. found tells a zone
// that is ours but can't be read from none.
func (s *Server) zoneFor(name string) (z *zone, found bool) {
	for i, end := 0, false; !end; i, end = dns.NextLabel(name, i) {
		value, ok := s.zones.Load(name[i:])
		if !ok {
			continue
		}
		sl := value.(*slot)
		if sl.state.Load() == unread {
			s.read(context.Background(), name[i:], sl, func(state int32) bool { return state == unread })
		}
		if sl.state.Load() != gone {
			return sl.zone.Load(), true
		}
	}
	return nil, false
}

// Store gives the server's store; a zone that is written through it is served
// before the call that writes it returns.
func (s *Server) Store() Store { return &through{s.store, s} }

type through struct {
	inner
	server *Server
}

type inner = Store

func (t *through) Store(ctx context.Context, key string, value []byte) error {
	err := t.inner.Store(ctx, key, value)
	t.server.changed(context.WithoutCancel(ctx), key)
	return err
}

func (t *through) Delete(ctx context.Context, key string) error {
	err := t.inner.Delete(ctx, key)
	t.server.changed(context.WithoutCancel(ctx), key)
	return err
}

// Serve answers on both sockets until ctx ends, then lets running answers
// finish for a moment, and closes both.
func (s *Server) Serve(ctx context.Context, udp net.PacketConn, tcp net.Listener) error {
	servers := []*dns.Server{
		{PacketConn: udp, Handler: s, UDPSize: dns.DefaultMsgSize, MsgAcceptFunc: accept, TsigProvider: s.secondaries.Keys},
		{Listener: bounded{netutil.LimitListener(tcp, maxConns)}, Handler: s, MsgAcceptFunc: accept, TsigProvider: s.secondaries.Keys},
	}
	ended := make(chan error, len(servers))
	for _, server := range servers {
		go func() { ended <- server.ActivateAndServe() }()
	}
	var errs []error
	running := len(servers)
	select {
	case <-ctx.Done():
	case err := <-ended:
		running--
		errs = append(errs, err)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for _, server := range servers {
		_ = server.ShutdownContext(stop) // fails where it had not begun or takes too long: the sockets are closed below
	}
	errs = append(errs, udp.Close(), tcp.Close())
	for range running {
		errs = append(errs, <-ended)
	}
	return errors.Join(ignoreClosed(errs)...)
}

// maxConns bounds the connections over TCP.
const maxConns = 512

func ignoreClosed(errs []error) []error {
	kept := errs[:0]
	for _, err := range errs {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			kept = append(kept, err)
		}
	}
	return kept
}

// bounded is a listener whose connections don't wait forever for a client that
// reads nothing.
type bounded struct{ net.Listener }

func (l bounded) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return boundedConn{conn}, nil
}

type boundedConn struct{ net.Conn }

// writeTimeout is for one message.
const writeTimeout = 10 * time.Second

func (c boundedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
