package dnsclient_test

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
)

// Questions asked at the same time leave from one port, and each gets its own
// answer; the next ones leave from another.
func TestSockets(t *testing.T) {
	t.Parallel()
	const together = 100
	var mu sync.Mutex
	ports, asked, all := map[string]bool{}, 0, make(chan struct{})
	arrived := func(from net.Addr) <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		ports[from.String()] = true
		wait := all
		if asked++; asked%together == 0 {
			close(all)
			all = make(chan struct{})
		}
		return wait
	}
	addr := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		<-arrived(w.RemoteAddr())
		_ = w.WriteMsg(reply(q, q.Question[0].Name+" 300 IN TXT "+q.Question[0].Name))
	})
	client := dnsclient.Client{Timeout: 20 * time.Second, Sockets: new(dnsclient.Sockets)}
	for range 2 {
		client.Sockets.Close()
		var wg sync.WaitGroup
		for i := range together {
			wg.Go(func() {
				name := fmt.Sprintf("d%d.example.", i)
				question := dnsclient.Question(name, dns.TypeTXT, false)
				question.Id = uint16(i / 2) // as chance would have it
				answer, err := client.Exchange(t.Context(), addr, question)
				if err != nil || answer.Answer[0].(*dns.TXT).Txt[0] != name {
					t.Errorf("%s: %v, %v", name, answer, err)
				}
			})
		}
		wg.Wait()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ports) != 2 {
		t.Errorf("%d questions, twice, came from %v", together, ports)
	}
}

// A server that isn't there fails all that wait, at once.
func TestSocketsToNobody(t *testing.T) {
	t.Parallel()
	const nobody = "127.0.0.1:1"
	client := dnsclient.Client{Timeout: time.Minute, Sockets: new(dnsclient.Sockets)}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if answer, err := client.Exchange(t.Context(), nobody, dnsclient.Question("a.example", dns.TypeA, false)); err == nil {
				t.Errorf("nobody answers %v", answer)
			}
		})
	}
	wg.Wait()
}
