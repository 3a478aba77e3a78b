package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"domherre/cmd/domherre/internal/wire"
)

// visited gives the visits to a domain by class, as a command on the node's
// machine tells them.
func (n *node) visited(ascii string, args ...string) map[string]int64 {
	n.Helper()
	out, code := n.command(append([]string{"hits", "--by", "domain", "-o", "json"}, args...)...)
	var doc wire.HitsDoc
	if err := json.Unmarshal([]byte(out), &doc); code != 0 || err != nil {
		n.Fatalf("hits: exit %d, %v\n%s", code, err, out)
	}
	got := map[string]int64{}
	for _, row := range doc.Rows {
		if row.ASCII == ascii {
			got[row.Class] = row.Hits
		}
	}
	return got
}

// counts reports that a node doesn't tell so many visits.
func (n *node) counts(ascii string, people, bots int64) func() error {
	return func() error {
		if got := n.visited(ascii); got["person"] != people || got["bot"] != bots {
			return fmt.Errorf("%s tells %v, not %d people and %d bots", n.name, got, people, bots)
		}
		return nil
	}
}

// directly is a world whose visitors come to one node.
func (n *node) directly() *world {
	w := n.world
	w.client = n.newClient()
	return &w
}

// Two nodes count visits to the same domains; each tells the sum. What one has
// written outlives its kill, and what it counts after that is added. What is
// published holds no small counts.
func TestFleetCounts(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, "kopasex.se", "köpasex.example")
	a, b := f.nodes[0], f.nodes[1]
	for _, n := range f.nodes {
		f.until("all are live as "+n.name+" sees it", n.live("kopasex.se", "xn--kpasex-wxa.example"))
	}
	f.alike("kopasex.se")
	a.directly().come("https://kopasex.se/", hitsBrowser, 7)
	b.directly().come("https://www.kopasex.se/", hitsBrowser, 8)
	b.directly().come("https://kopasex.se/", hitsBot, 3)
	a.directly().come("https://kopasex.se/", hitsBot, 2)
	b.directly().come("https://xn--kpasex-wxa.example/", hitsBrowser, 9)
	for _, n := range f.nodes {
		f.until("both nodes' visits are known", n.counts("kopasex.se", 15, 5))
		f.until("the other domain's are", n.counts("xn--kpasex-wxa.example", 9, 0))
	}
	if got := b.visited("kopasex.se", "--publish"); got["person"] != 15 || got["bot"] != 0 {
		t.Errorf("published: %v", got)
	}
	if got := b.visited("xn--kpasex-wxa.example", "--publish"); len(got) != 0 {
		t.Errorf("published, of a domain with few: %v", got)
	}

	f.kill(a) // which has written all by now, since b knows it
	f.until("nothing is lost", b.counts("kopasex.se", 15, 5))
	b.directly().come("https://kopasex.se/", hitsBrowser, 1)
	f.up(a)
	a.directly().come("https://kopasex.se/", hitsBrowser, 4)
	for _, n := range f.nodes {
		f.until("all is added up", n.counts("kopasex.se", 20, 5))
	}
}

// A visitor's session goes on at another node, and the tickets say nothing of it.
func TestFleetTickets(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, "kopasex.se")
	for _, n := range f.nodes {
		f.until("it is live as "+n.name+" sees it", n.live("kopasex.se"))
	}
	f.alike("kopasex.se")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.RootsPEM())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cfg := &tls.Config{ServerName: "kopasex.se", RootCAs: roots, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
		for i, n := range f.nodes {
			resumed, err := n.ask(cfg)
			if err != nil || resumed != (i > 0) {
				t.Errorf("%s at node %d: resumed %v, %v", tls.VersionName(version), i, resumed, err)
			}
		}
	}
}

// ask asks a node for the domain's front page, and reports whether the session
// was resumed.
func (n *node) ask(cfg *tls.Config) (resumed bool, err error) {
	c, err := tls.Dial("tcp", n.https, cfg)
	if err != nil {
		return false, err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", cfg.ServerName); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Location"), frontend) {
		err = fmt.Errorf("%s to %q", resp.Status, resp.Header.Get("Location"))
	}
	return c.ConnectionState().DidResume, err
}
