package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// visitors keep asking until stop; what they count as lost is every request
// that reached the daemon and got no redirect.
type visitors struct {
	strict bool // that nobody listens counts too
	stop   chan struct{}
	wait   sync.WaitGroup
	met    atomic.Int64
	mu     sync.Mutex
	lost   []error
}

func (w *world) visitors(n int, strict bool, url string) *visitors {
	return w.visitorsBy(func() *http.Client {
		client := w.newClient()
		client.Transport.(*http.Transport).DisableKeepAlives = false
		return client
	}, n, strict, url)
}

// visitorsBy are those of a kind.
func (w *world) visitorsBy(newClient func() *http.Client, n int, strict bool, url string) *visitors {
	v := &visitors{strict: strict, stop: make(chan struct{})}
	for range n {
		client := newClient()
		v.wait.Go(func() {
			defer client.CloseIdleConnections()
			for {
				select {
				case <-v.stop:
					return
				default:
				}
				v.ask(client, url)
			}
		})
	}
	return v
}

func (v *visitors) ask(client *http.Client, url string) {
	resp, err := client.Get(url)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			err = errors.New(resp.Status)
		}
	}
	var refused *net.OpError
	if (errors.As(err, &refused) && refused.Op == "dial" || notMet(err)) && !v.strict {
		return // nobody listens any more: a balancer asks elsewhere
	}
	if err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.lost = append(v.lost, err)
		return
	}
	v.met.Add(1)
}

// more reports that n more visits haven't been made yet.
func (v *visitors) more(n int64) func() error {
	before := v.met.Load()
	return func() error {
		if met := v.met.Load() - before; met < n {
			return fmt.Errorf("%d so far", met)
		}
		return nil
	}
}

// end stops the visitors and gives what was lost.
func (v *visitors) end() []error {
	close(v.stop)
	v.wait.Wait()
	return v.lost
}

// A daemon that is told to stop under load loses no request.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	v := w.visitors(8, false, "https://www.kopasex.se/")
	w.until("visitors come", v.more(200))
	code := d.stop(t)
	if lost := v.end(); code != 0 || len(lost) > 0 {
		t.Errorf("exit %d, lost %d of %d: %v", code, len(lost), v.met.Load(), lost[:min(3, len(lost))])
	}
}

// A reload under load loses no request either, nor does one that is refused.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	v := w.visitors(4, false, "https://www.kopasex.se/")
	w.write("domains.txt", lines("kopasex.se", "kopa-tid.test"))
	w.until("the config is reloaded", w.logged(d, "config reloaded", 1))
	w.write("domains.txt", lines("https://kopasex.se/"))
	w.until("the fault is told", w.notice("config"))
	if err := w.is("domherre_config_valid", 0)(); err != nil {
		t.Error(err)
	}
	w.write("domains.txt", lines("kopasex.se"))
	w.until("the config is good again", w.is("domherre_config_valid", 1))
	if lost := v.end(); len(lost) > 0 {
		t.Errorf("lost %d of %d: %v", len(lost), v.met.Load(), lost[0])
	}
}
