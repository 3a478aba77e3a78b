package dnsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode"

	"github.com/miekg/dns"
)

// Resolver looks names up through recursive resolvers. It is safe for
// concurrent use.
type Resolver struct {
	servers []string // host:port, in the order they are asked
	client  Client
}

// Answer is what a resolver told.
type Answer struct {
	Server    string // that answered, host:port
	Rcode     int
	Records   []dns.RR // of the type asked for, at the end of the chain
	Chain     []string // names that the CNAMEs led through, absolute, without the one asked for
	Authentic bool     // the resolver validated it by DNSSEC (AD)
	Extended  []string // extended errors (RFC 8914), "6 DNSSEC Bogus: …"
}

// NewResolver makes a resolver of servers, each an address or host with or
// without a port; without any it takes those of /etc/resolv.conf.
func NewResolver(servers []string) (*Resolver, error) {
	if len(servers) == 0 {
		system, err := dns.ClientConfigFromFile("/etc/resolv.conf")
		if err != nil {
			return nil, fmt.Errorf("the system's resolvers can't be read: %w", err)
		}
		servers = system.Servers
	}
	r := &Resolver{}
	for _, s := range servers {
		r.servers = append(r.servers, withPort(s))
	}
	if len(r.servers) == 0 {
		return nil, errors.New("no resolver is configured; name one in the config or in /etc/resolv.conf")
	}
	return r, nil
}

// withPort adds port 53 where there is none.
func withPort(server string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(strings.Trim(server, "[]"), "53")
}

// Lookup asks the resolvers in turn, until one gives more than a SERVFAIL or
// REFUSED. An answer that the name or type doesn't exist is no error: see
// Rcode and Records.
func (r *Resolver) Lookup(ctx context.Context, name string, qtype uint16) (Answer, error) {
	return r.lookup(ctx, name, qtype, false)
}

// LookupUnchecked asks the resolvers not to validate (CD): what Lookup answers
// with SERVFAIL and this doesn't is bogus.
func (r *Resolver) LookupUnchecked(ctx context.Context, name string, qtype uint16) (Answer, error) {
	return r.lookup(ctx, name, qtype, true)
}

func (r *Resolver) lookup(ctx context.Context, name string, qtype uint16, unchecked bool) (Answer, error) {
	var failure error
	var last *Answer
	for _, server := range r.servers {
		m := Question(name, qtype, true)
		m.AuthenticatedData = true // asks for the bit without the signatures (RFC 6840, section 5.7)
		m.CheckingDisabled = unchecked
		msg, err := r.client.Exchange(ctx, server, m)
		if err != nil {
			failure = fmt.Errorf("resolver %s: %w", server, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		answer := readAnswer(server, m.Question[0].Name, qtype, msg)
		if msg.Rcode != dns.RcodeServerFailure && msg.Rcode != dns.RcodeRefused {
			return answer, nil
		}
		last = &answer
	}
	if last != nil {
		return *last, nil
	}
	return Answer{}, failure
}

// readAnswer follows the CNAMEs within one answer.
func readAnswer(server, name string, qtype uint16, msg *dns.Msg) Answer {
	a := Answer{Server: server, Rcode: msg.Rcode, Authentic: msg.AuthenticatedData}
	at := dns.CanonicalName(name)
	for range len(msg.Answer) + 1 {
		next := ""
		for _, rr := range msg.Answer {
			if dns.CanonicalName(rr.Header().Name) != at {
				continue
			}
			if rr.Header().Rrtype == qtype {
				a.Records = append(a.Records, rr)
			} else if cname, ok := rr.(*dns.CNAME); ok {
				next = dns.CanonicalName(cname.Target)
			}
		}
		if next == "" || len(a.Records) > 0 {
			break
		}
		a.Chain = append(a.Chain, next)
		at = next
	}
	if opt := msg.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if ede, ok := o.(*dns.EDNS0_EDE); ok {
				a.Extended = append(a.Extended, oneLine(ede.String()))
			}
		}
	}
	return a
}

// oneLine is what a server says, without its line breaks and control
// characters: it is shown on terminals and in logs.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, unicode.IsControl), " ")
}
