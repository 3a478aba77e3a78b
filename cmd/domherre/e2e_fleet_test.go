package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// takeover is how long the others may take to go on in place of a leader.
const takeover = 30 * time.Second

// Three nodes on one database. One leads; it is killed in the middle of an
// order and of an apply, and frozen: each time another goes on, nothing is
// ordered twice but what was in flight, and visitors never notice.
func TestFleet(t *testing.T) {
	t.Parallel()
	domains := []string{"kopasex.se", "xn--kpasex-wxa.example"}
	for i := range 12 {
		domains = append(domains, fmt.Sprintf("d%d.example", i))
	}
	f := newFleet(t, 3, domains...)
	for _, n := range f.nodes {
		f.until("all are live as "+n.name+" sees it", n.live(domains...))
	}
	first := f.leader(f.nodes...)
	f.alike(domains...)
	for _, n := range f.nodes {
		if f.balancer.connections(n) == 0 {
			t.Errorf("no validation, check or question came to %s", n.name)
		}
	}
	if out, code := f.others(first)[0].command("status"); code != 0 || !strings.Contains(out, "3 nodes: ") || !strings.Contains(out, first.name+" leads") {
		t.Errorf("status: exit %d\n%s", code, out)
	}
	var elsewhere struct{ Leader string }
	if err := f.others(first)[0].get("http://"+f.others(first)[0].admin+"/api/v1/plan", &elsewhere); err != nil || elsewhere.Leader != first.name {
		t.Errorf("the plan of a node that follows: %+v, %v", elsewhere, err)
	}
	watched := f.watch("https://www.kopasex.se/")

	// In the middle of an order.
	f.orders.holdUp()
	domains = append(domains, "later.example")
	f.write("domains.txt", lines(domains...))
	f.until("the order is in flight", func() error {
		if f.orders.waiting() == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	f.kill(first)
	f.orders.letGo()
	rest := f.others(first)
	f.within(takeover, "the order is placed again", rest[0].live("later.example"), rest[1].live("later.example"))
	second := f.leader(rest...)
	f.up(first)
	f.until("the node that comes back follows", first.live(domains...))
	f.alike(domains...)

	// In the middle of an apply: one zone can't be written for a while.
	release := f.server.Hold(`SELECT pg_advisory_xact_lock(hashtextextended('fleet/dns/zones/d5.example.json', 0))`)
	f.write("domherre.yaml", strings.ReplaceAll(f.read("domherre.yaml"), "ttl: 1m", "ttl: 2m"))
	f.until("the apply is under way", func() error { return f.appliedTo(first, 5) })
	f.kill(second)
	release()
	f.within(takeover, "the apply is finished", func() error { return f.appliedTo(first, len(domains)) })
	third := f.leader(f.others(second)...)
	if out, code := third.command("plan", "--detailed-exitcode"); code != 0 {
		t.Errorf("a plan after that: exit %d\n%s", code, out)
	}
	f.up(second)

	// Alive, but out of the world for a while.
	f.leader(f.nodes...)
	f.signal(third, syscall.SIGSTOP)
	f.within(takeover, "another one leads", func() error {
		leader, err := f.others(third)[0].sees(f)
		if err == nil && leader == third {
			err = errors.New("the frozen one is said to lead")
		}
		return err
	})
	f.signal(third, syscall.SIGCONT)
	if leader := f.leader(f.nodes...); leader == third {
		t.Errorf("%s took the lead back", third.name)
	}
	f.until("all is well with the one that was frozen", third.live(domains...))

	for _, err := range watched() {
		t.Errorf("a visitor met nothing but errors: %v", err)
	}
	for _, name := range domains {
		if n := f.orders.of("www." + name); n != 1 && !(name == "later.example" && n == 2) {
			t.Errorf("%d orders for %s", n, name)
		}
	}
	f.alike(domains...)
}

// within waits until all of the conditions hold, and wants that soon.
func (f *fleet) within(limit time.Duration, what string, conditions ...func() error) {
	f.Helper()
	began := time.Now()
	for _, ok := range conditions {
		f.until(what, ok)
	}
	if took := time.Since(began); took > limit {
		f.Errorf("it took %v until %s", took, what)
	}
}

// alike checks that all nodes serve the same certificates, each of its own
// memory.
func (f *fleet) alike(domains ...string) {
	f.Helper()
	for _, name := range domains {
		f.until("all serve one certificate of "+name, func() error {
			want := serial(f, f.nodes[0].https, "www."+name)
			for _, n := range f.nodes {
				if got := serial(f, n.https, "www."+name); got != want || got == "" {
					return fmt.Errorf("%s serves %q, not %q", n.name, got, want)
				}
			}
			return nil
		})
	}
}

// appliedTo reports that fewer than so many zones have been given the new TTL,
// as a command on a node's machine sees it.
func (f *fleet) appliedTo(n *node, want int) error {
	out, code := n.command("plan", "-o", "json")
	if done := strings.Count(out, `"changes": []`); code != 0 || done < want {
		return fmt.Errorf("%d of %d zones, exit %d", done, want, code)
	}
	return nil
}

// watch has a visitor come again and again, and gives what ends that. A node
// that is killed cuts off who is there just then: they try again. What can't be
// had by that is returned.
func (f *fleet) watch(url string) (end func() []error) {
	stop := make(chan struct{})
	var lost []error
	var visitor sync.WaitGroup
	visitor.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			var status int
			var err error
			for range 3 {
				if status, _, err = f.visit(url); err == nil && status == 302 {
					break
				}
			}
			if err != nil || status != 302 {
				lost = append(lost, fmt.Errorf("%d, %v", status, err))
			}
		}
	})
	return func() []error {
		close(stop)
		visitor.Wait()
		return lost
	}
}

// A node that knows the database by its cache alone starts and serves; when the
// database is back it goes on.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, "kopasex.se")
	n := f.nodes[0]
	f.until("the domain is live", n.live("kopasex.se"))
	f.server.Stop()
	f.leads("https://www.kopasex.se/", frontend)
	f.kill(n)
	f.up(n)
	f.leads("https://www.kopasex.se/", frontend)
	f.leads("http://www.kopasex.se/", "https://www.kopasex.se/")
	if err := f.servesAddress("kopasex.se"); err != nil {
		t.Errorf("its zone isn't served: %v", err)
	}
	f.until("the node says what is wrong", n.notice("state"))
	f.server.Start()
	f.write("domains.txt", lines("kopasex.se", "later.example"))
	f.until("work goes on", n.live("kopasex.se", "later.example"))
	if n := f.orders.of("www.kopasex.se"); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// The state moves from files to PostgreSQL and back, and nothing is ordered
// anew; while a daemon works with it, it doesn't.
func TestStateMoves(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0, "kopasex.se")
	database := f.read("domherre.yaml")
	files := strings.ReplaceAll(database, f.database, "./state")
	w := f.world
	run := func(config string) *daemon {
		w.write("domherre.yaml", config)
		d := w.start()
		w.until("the domain is live", w.live("kopasex.se"))
		w.leads("https://www.kopasex.se/", frontend)
		return d
	}
	d := run(files)
	out, errs, code := w.domherre("state", "copy", w.path("state"), f.database)
	if code != 1 || out != "" || !strings.Contains(errs, "lead-du-avgor is held by domherre run, pid ") {
		t.Errorf("while the daemon runs: exit %d\n%s%s", code, out, errs)
	}
	d.stop(t)
	moved, errs, code := w.domherre("state", "copy", w.path("state"), f.database)
	if code != 0 {
		t.Fatalf("state copy: exit %d\n%s%s", code, moved, errs)
	}
	run(database).stop(t)
	if back, errs, code := w.domherre("state", "copy", f.database, w.path("back")); code != 0 {
		t.Fatalf("state copy, back: exit %d\n%s%s", code, back, errs)
	}
	run(strings.ReplaceAll(database, f.database, "./back")).stop(t)
	if n := f.orders.of("www.kopasex.se"); n != 1 {
		t.Errorf("%d orders", n)
	}
}
