package redirect

import (
	"context"
	"crypto/tls"
	"hash/maphash"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestCrowdLanes fills a crowd from one lane: what comes from there too fast is
// turned away, at leisure it takes the place of the oldest, and whoever comes
// from elsewhere always gets in.
func TestCrowdLanes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &crowd{limit: 4}
		s := &Server{}
		come := func(lane uint8) (*session, bool) {
			server, client := net.Pipe()
			t.Cleanup(func() { client.Close() })
			c := &session{socket: server, s: s, lane: lane}
			return c, w.admit(c)
		}
		var all []*session
		for range w.limit + mercies {
			c, ok := come(1)
			if !ok {
				t.Fatal("turned away")
			}
			all = append(all, c)
		}
		if _, ok := come(1); ok {
			t.Error("let in beyond all mercy")
		}
		other, ok := come(2)
		if !ok {
			t.Error("whoever comes from elsewhere was turned away")
		}
		time.Sleep(2 * mercyTime)
		if c, ok := come(1); !ok {
			t.Error("turned away at leisure")
		} else {
			all = append(all, c)
		}
		synctest.Wait()
		for i, c := range all { // the latest three of lane 1 are left
			if left := i >= len(all)-3; (c.place != nil) != left || closed(c.socket) == left {
				t.Errorf("number %d: in %v, closed %v", i, c.place != nil, closed(c.socket))
			}
		}
		if other.place == nil || w.size != w.limit {
			t.Errorf("%d are in", w.size)
		}
		w.part(other)
		w.part(other)
		if w.size != w.limit-1 || w.lanes[2].Len() != 0 {
			t.Errorf("%d are in", w.size)
		}
	})
}

func closed(c net.Conn) bool { return c.SetDeadline(time.Time{}) != nil }

func TestLanes(t *testing.T) {
	t.Parallel()
	k := laneKey{maphash.MakeSeed()}
	of := func(ip string) uint8 { return k.of(&net.TCPAddr{IP: net.ParseIP(ip)}) }
	if of("192.0.2.1") != of("::ffff:192.0.2.1") || of("2001:db8:0:1::1") != of("2001:db8:0:2::9") {
		t.Error("one client is in two lanes")
	}
	seen := map[uint8]bool{}
	for i := range 1000 {
		seen[k.of(&net.TCPAddr{IP: net.IPv4(192, 0, byte(i>>8), byte(i))})] = true
	}
	if len(seen) < lanes/2 {
		t.Errorf("a thousand clients are in %d lanes", len(seen))
	}
}

// TestOldestGoes: beyond the limit, hardly ever a connection goes that has just
// come.
func TestOldestGoes(t *testing.T) {
	t.Parallel()
	r := registry[*aged]{limit: 1600}
	now, young := 0, 0
	for now = range 10 * int(r.limit) {
		r.add(&aged{number: now, gone: func(n int) {
			if now-n < int(r.limit)/10 {
				young++
			}
		}})
	}
	if young > 20 {
		t.Errorf("%d of %d that had to go had just come", young, 9*r.limit)
	}
}

// aged is a connection that says when it is told to go.
type aged struct {
	number int
	gone   func(number int)
}

func (a *aged) evict() bool {
	a.gone(a.number)
	return true
}

// TestHonestInACrowd: while many from elsewhere begin handshakes, break them off
// and come again, more than may wait, no honest visitor fails, and in the end
// nobody waits.
func TestHonestInACrowd(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{TLS: certs(testCert(t, "kopasex.se"))})
	s.crowd.mu.Lock()
	s.crowd.limit = 16
	s.crowd.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	crowd := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	var attackers sync.WaitGroup
	var came atomic.Int64
	for i := range 40 {
		attackers.Go(func() {
			for ctx.Err() == nil {
				c, err := crowd.DialContext(ctx, "tcp", s.secure)
				if err != nil {
					continue
				}
				came.Add(1)
				cut := context.AfterFunc(ctx, func() { c.Close() })
				if i%8 > 0 {
					_, _ = io.Copy(io.Discard, c) // says nothing
				} else {
					_ = tls.Client(c, &tls.Config{ServerName: "kopasex.se", InsecureSkipVerify: true}).HandshakeContext(ctx)
				}
				cut()
				c.Close()
			}
		})
	}
	until(t, func() bool { return came.Load() > 200 })
	for range 10 {
		if resp, _ := via(t, client(t, s.secure, nil), "GET", "https://kopasex.se/", ""); resp.StatusCode != 302 {
			t.Errorf("got %d", resp.StatusCode)
		}
	}
	cancel()
	attackers.Wait()
	until(t, func() bool {
		s.crowd.mu.Lock()
		defer s.crowd.mu.Unlock()
		return s.crowd.size == 0
	})
}
