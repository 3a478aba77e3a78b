package dnsprovider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/portfolio"
)

// atOnce is how many questions one authoritative server gets at a time.
const atOnce = 4

// Verify asks every authoritative server of the domain for each RRset of want:
// over UDP, or TCP where the answer is too long, without recursion. TTLs must
// be the same too, since a server with authority doesn't count them down.
func (s *Set) Verify(ctx context.Context, d portfolio.Domain, want []portfolio.RRset) portfolio.Served {
	servers, err := s.Nameservers(ctx, d)
	if err != nil {
		return portfolio.Served{Servers: []portfolio.ServerAnswer{{Server: "name servers of " + d.Name.String(), Err: err.Error()}}}
	}
	answers := make([]portfolio.ServerAnswer, len(servers))
	noRoute := make([]bool, len(servers))
	var wg sync.WaitGroup
	for i, ns := range servers {
		wg.Go(func() { answers[i], noRoute[i] = verifyAt(ctx, ns, d.Name, want) })
	}
	wg.Wait()
	return portfolio.Served{Servers: reachable(servers, answers, noRoute)}
}

// reachable leaves out the IPv6 addresses of servers whose other addresses were
// asked, where this machine has no IPv6.
func reachable(servers []Nameserver, answers []portfolio.ServerAnswer, noRoute []bool) []portfolio.ServerAnswer {
	asked := make(map[string]bool)
	for i, ns := range servers {
		asked[ns.Name] = asked[ns.Name] || answers[i].Err == ""
	}
	var out []portfolio.ServerAnswer
	for i, ns := range servers {
		if noRoute[i] && ns.Addr.Addr().Is6() && asked[ns.Name] {
			continue
		}
		out = append(out, answers[i])
	}
	return out
}

// verifyAt asks one server; noRoute says that it could not even be sent to.
func verifyAt(ctx context.Context, ns Nameserver, zone portfolio.Name, want []portfolio.RRset) (answer portfolio.ServerAnswer, noRoute bool) {
	answer.Server = ns.String()
	if !ns.Addr.IsValid() {
		answer.Err = "its address can't be found"
		return answer, false
	}
	a := asker{client: dnsclient.Client{Timeout: 2 * time.Second, Sockets: new(dnsclient.Sockets)}, server: ns.Addr.String(), zone: zone}
	defer a.client.Sockets.Close()
	// First whether it serves the zone at all, so that this is said once.
	if _, err := a.ask(ctx, zone.FQDN(), dns.TypeSOA); err != nil {
		answer.Err = err.Error()
		return answer, errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL)
	}
	a.cuts = cutsOf(zone, want)
	wrong := make([]string, len(want))
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, set := range want {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			wrong[i] = a.compare(ctx, set)
		})
	}
	wg.Wait()
	if wrong = slices.DeleteFunc(wrong, func(s string) bool { return s == "" }); len(wrong) > 0 {
		answer.Wrong = wrong
	}
	return answer, false
}

// asker asks one authoritative server about one zone.
type asker struct {
	client dnsclient.Client
	server string
	zone   portfolio.Name
	cuts   map[string]bool // names below the zone that are wanted to be delegated
}

// ask gives the answer to one question, if it is given with authority, or the
// server's referral to those that a part of the zone is delegated to.
func (a *asker) ask(ctx context.Context, name string, qtype uint16) (*dns.Msg, error) {
	msg, err := a.client.Exchange(ctx, a.server, dnsclient.Question(name, qtype, false))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it does not answer: %w", withoutPorts(err))
	case msg.Rcode != dns.RcodeSuccess && msg.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("it does not serve %s (%s)", a.zone, dnsclient.RcodeName(msg.Rcode))
	case !msg.Authoritative && cutOf(a.zone, msg) == "":
		return nil, fmt.Errorf("it does not serve %s: it answers without authority", a.zone)
	}
	return msg, nil
}

// withoutPorts takes off an error what differs from try to try, the port asked
// from, so that the same fault of many zones reads the same.
func withoutPorts(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// compare gives a sentence on how the RRset is served otherwise than wanted;
// none where it is as wanted.
func (a *asker) compare(ctx context.Context, want portfolio.RRset) string {
	host := a.zone.Host(want.Name) + "."
	about := shown(a.zone, want.Name) + " " + want.Type
	records, err := want.Records(a.zone)
	if err != nil {
		return err.Error()
	}
	if len(records) == 0 {
		return ""
	}
	msg, err := a.ask(ctx, host, records[0].Header().Rrtype)
	if err != nil {
		return fmt.Sprintf("%s can't be asked for: %v", about, err)
	}
	if !msg.Authoritative {
		return a.compareCut(msg, want, about)
	}
	return a.compareAnswer(msg.Answer, host, want, about)
}

// compareAnswer compares what is served at host.
func (a *asker) compareAnswer(answer []dns.RR, host string, want portfolio.RRset, about string) string {
	var here []dns.RR
	alias := ""
	for _, rr := range answer {
		if dns.CanonicalName(rr.Header().Name) != dns.CanonicalName(host) {
			continue
		}
		if cname, ok := rr.(*dns.CNAME); ok && want.Type != "CNAME" {
			alias = cname.Target
			continue
		}
		here = append(here, rr)
	}
	sets, err := portfolio.RRsetsOf(a.zone, here)
	if err != nil {
		return fmt.Sprintf("%s can't be read: %v", about, err)
	}
	i := slices.IndexFunc(sets, func(s portfolio.RRset) bool { return s.Type == want.Type })
	switch {
	case alias != "":
		return fmt.Sprintf("%s is an alias of %s, not %s", about, alias, list(want.Data))
	case i < 0:
		return about + " is missing"
	case !slices.Equal(sets[i].Data, want.Data):
		return fmt.Sprintf("%s is %s, not %s", about, list(sets[i].Data), list(want.Data))
	case sets[i].TTL != want.TTL:
		return fmt.Sprintf("%s has the TTL %d, not %d", about, sets[i].TTL, want.TTL)
	}
	return ""
}

// shown gives a host by U-labels, with its A-labels behind where they differ.
func shown(zone portfolio.Name, owner string) string {
	if owner == "@" {
		return zone.String()
	}
	if unicode := zone.Unicode(); unicode != zone.ASCII() {
		return owner + "." + unicode + " (" + zone.Host(owner) + ")"
	}
	return zone.Host(owner)
}

func list(data []string) string { return strings.Join(data, " and ") }
