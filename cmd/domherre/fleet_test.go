package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"domherre/check"
	"domherre/state/statetest"
)

// fleet is a world with several daemons on one database and a balancer before
// them, at the addresses that a single daemon would have.
type fleet struct {
	*world
	balancer *balancer
	server   *statetest.Server
	database string // location of the state on it
	nodes    []*node
	orders   *orders
}

// node is one daemon of a fleet.
type node struct {
	world // its own addresses
	name  string
	d     *daemon
}

func newFleet(t *testing.T, size int, domains ...string) *fleet {
	t.Helper()
	server := statetest.Postgres(t)
	return newFleetOn(t, server, server.URL("fleet"), size, domains...)
}

// newFleetOn makes one whose state is at a location that leads to server.
func newFleetOn(t *testing.T, server *statetest.Server, database string, size int, domains ...string) *fleet {
	t.Helper()
	f := &fleet{world: newWorld(t, lines(domains...)), server: server, database: database, balancer: &balancer{t: t}}
	f.orders = watchOrders(t, f.world)
	config := strings.ReplaceAll(f.config(), f.Addresses().Directory, f.orders.directory)
	f.write("domherre.yaml", strings.ReplaceAll(config, "lab-ca.pem", "ca.pem")+"state: "+f.database+"\nreconcile: {every: 5s}\n")
	for range size {
		n := &node{world: *f.world}
		n.http, n.https, n.admin, n.dns = freePort(t), freePort(t), freePort(t), freePort(t)
		n.client = f.newClient()
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		n.name = net.JoinHostPort(host, fmt.Sprint(portOf(n.https)))
		f.nodes = append(f.nodes, n)
	}
	if size > 0 {
		f.balancer.serve(f.world)
	}
	for _, n := range f.nodes {
		f.up(n)
	}
	return f
}

// env is what tells a node, and commands on its machine, from the others.
func (n *node) env() []string {
	return append(os.Environ(), "DOMHERRE_LISTEN_HTTP="+n.http, "DOMHERRE_LISTEN_HTTPS="+n.https,
		"DOMHERRE_LISTEN_ADMIN="+n.admin, "DOMHERRE_LISTEN_DNS="+n.dns, "DOMHERRE_STATE_CACHE="+n.path("cache-"+fmt.Sprint(portOf(n.https))))
}

// up starts a node and lets visitors come to it.
func (f *fleet) up(n *node) {
	f.Helper()
	cmd := exec.Command("domherre", "run", "-c", n.path("domherre.yaml"))
	cmd.Env = n.env()
	n.d = f.launchAs(cmd)
	f.until(n.name+" answers", func() error { return n.get("http://"+n.admin+"/readyz", nil) })
	f.balancer.use(n, true)
}

// kill kills a node outright.
func (f *fleet) kill(n *node) {
	f.Helper()
	f.signal(n, syscall.SIGKILL)
	<-n.d.ended
}

// signal signals a node, and has the balancer leave it out meanwhile.
func (f *fleet) signal(n *node, s syscall.Signal) {
	f.Helper()
	if s == syscall.SIGSTOP {
		f.balancer.use(n, false) // nothing tells those who are there already
	}
	if err := n.d.cmd.Process.Signal(s); err != nil {
		f.Fatal(err)
	}
	f.balancer.use(n, s == syscall.SIGCONT)
}

// read gives a file of the world.
func (f *fleet) read(name string) string {
	f.Helper()
	text, err := os.ReadFile(f.path(name))
	if err != nil {
		f.Fatal(err)
	}
	return string(text)
}

// command runs a command on a node's machine.
func (n *node) command(args ...string) (stdout string, code int) {
	n.Helper()
	cmd := exec.CommandContext(n.Context(), "domherre", append(args, "-c", n.path("domherre.yaml"))...)
	cmd.Env, cmd.Stderr = n.env(), io.Discard
	out, err := cmd.Output()
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		n.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// seen gives the nodes as one of them tells, by name.
func (n *node) seen() (map[string]check.Node, error) {
	var r check.Report
	if err := n.get("http://"+n.admin+"/api/v1/status", &r); err != nil {
		return nil, err
	}
	nodes := map[string]check.Node{}
	for _, other := range r.Nodes {
		nodes[other.Node] = other
	}
	return nodes, nil
}

// leader waits until one of the nodes leads, and all of them say so and know of
// every node of the fleet.
func (f *fleet) leader(among ...*node) *node {
	f.Helper()
	var found *node
	f.until("one node leads", func() error {
		found = nil
		for _, n := range among {
			leads, err := n.sees(f)
			if err != nil {
				return err
			}
			if found != nil && found != leads {
				return fmt.Errorf("%s and %s lead", found.name, leads.name)
			}
			found = leads
		}
		if !slices.Contains(among, found) {
			return fmt.Errorf("%s is said to lead", found.name)
		}
		return nil
	})
	return found
}

// sees gives the leader as a node sees it.
func (n *node) sees(f *fleet) (*node, error) {
	seen, err := n.seen()
	if err != nil {
		return nil, err
	}
	var leader *node
	for _, other := range f.nodes {
		as, known := seen[other.name]
		switch {
		case !known:
			return nil, fmt.Errorf("%s doesn't know of %s", n.name, other.name)
		case as.Leads && leader != nil:
			return nil, fmt.Errorf("%s sees two leaders", n.name)
		case as.Leads:
			leader = other
		}
	}
	if leader == nil {
		return nil, fmt.Errorf("%s sees no leader", n.name)
	}
	return leader, nil
}

// others are the nodes without one.
func (f *fleet) others(but *node) []*node {
	return slices.DeleteFunc(slices.Clone(f.nodes), func(n *node) bool { return n == but })
}
