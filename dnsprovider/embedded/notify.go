package embedded

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
)

const (
	// notifyAtOnce is how many zones one secondary is told of at a time.
	notifyAtOnce = 4
	// Pauses between tries while a secondary doesn't answer.
	firstNotifyPause = time.Second
	lastNotifyPause  = time.Minute
)

// notifier tells one secondary of the zones that have changed (RFC 1996). While
// it doesn't answer, the zones wait; told once, a zone isn't told of again
// before it changes.
type notifier struct {
	server *Server
	to     netip.AddrPort
	client dnsclient.Client

	mu      sync.Mutex
	queue   []string
	waiting map[string]bool   // in the queue
	told    map[string]uint32 // serials
	refused map[string]bool   // zones that it refused the last time
	silent  bool              // it didn't answer the last time
	wake    chan struct{}     // holds one while the queue isn't empty
}

func newNotifier(s *Server, to netip.AddrPort) *notifier {
	n := &notifier{server: s, to: to, waiting: map[string]bool{}, told: map[string]uint32{}, refused: map[string]bool{}, wake: make(chan struct{}, 1)}
	if keys := s.secondaries.Keys; len(keys) > 0 {
		n.client.Key = keys[0]
	}
	return n
}

// announce has every secondary told of a zone that has perhaps changed.
func (s *Server) announce(apex string) {
	for _, n := range s.notifiers {
		n.add(apex)
	}
}

func (n *notifier) add(apex string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.waiting[apex] {
		n.waiting[apex] = true
		n.queue = append(n.queue, apex)
	}
	n.signal()
}

// signal wakes a worker; the caller holds the lock.
func (n *notifier) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// start starts the workers, which end with ctx.
func (n *notifier) start(ctx context.Context) {
	for range notifyAtOnce {
		go n.work(ctx)
	}
}

func (n *notifier) work(ctx context.Context) {
	pause := firstNotifyPause
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		apex, ok := n.take()
		if !ok {
			continue
		}
		if n.tell(ctx, apex) {
			pause = firstNotifyPause
			continue
		}
		n.add(apex)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lastNotifyPause)
	}
}

// take gives the next zone, and wakes another worker for the rest.
func (n *notifier) take() (apex string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) == 0 {
		return "", false
	}
	apex, n.queue = n.queue[0], n.queue[1:]
	delete(n.waiting, apex)
	if len(n.queue) > 0 {
		n.signal()
	}
	return apex, true
}

// tell tells of one zone, and reports whether that is settled.
func (n *notifier) tell(ctx context.Context, apex string) bool {
	z, _ := n.server.zoneFor(apex)
	if z == nil || z.apex != apex || !n.claim(z) {
		return true
	}
	m := new(dns.Msg).SetNotify(apex)
	m.Answer = []dns.RR{z.soa}
	answer, err := n.client.Exchange(ctx, n.to.String(), m)
	if ctx.Err() != nil {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		delete(n.told, apex)
		if !n.silent {
			n.server.log.Warn("a secondary doesn't answer NOTIFY; trying again, and it looks by itself meanwhile", "secondary", n.to, "err", err)
		}
		n.silent = true
		return false
	}
	n.silent = false
	n.took(z, answer.Rcode)
	return true
}

// took notes a secondary's answer; the caller holds the lock.
func (n *notifier) took(z *zone, rcode int) {
	refused := rcode != dns.RcodeSuccess
	if refused && !n.refused[z.apex] {
		n.server.log.Warn("a secondary refuses NOTIFY; give it the zone, with this server as its primary",
			"secondary", n.to, "zone", z.apex, "answer", dnsclient.RcodeName(rcode))
	}
	n.refused[z.apex] = refused
}

// claim takes the telling of a zone's serial, unless it was told or is being told.
func (n *notifier) claim(z *zone) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if serial, told := n.told[z.apex]; told && serial == z.serial {
		return false
	}
	n.told[z.apex] = z.serial
	return true
}
