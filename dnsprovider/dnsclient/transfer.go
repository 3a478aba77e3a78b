package dnsclient

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// maxRecords bounds a transfer: a zone of a look-alike domain has a dozen.
const maxRecords = 1 << 20

// RcodeError is a refusal by response code.
type RcodeError struct {
	Rcode  int
	Signed bool // by a key that both sides know: the refusal is about the zone, not about the key
}

func (e *RcodeError) Error() string { return "the server answers " + RcodeName(e.Rcode) }

// RcodeName gives the mnemonic of a response code, "NXDOMAIN".
func RcodeName(rcode int) string {
	if name, ok := dns.RcodeToString[rcode]; ok {
		return name
	}
	return fmt.Sprintf("RCODE%d", rcode)
}

// Transfer reads a zone whole (AXFR over TCP, RFC 5936) and gives its records,
// the SOA once, as the first. The client's Timeout counts for each message
// anew; ctx bounds the whole. Refusals are *RcodeError or *TSIGError.
func (c *Client) Transfer(ctx context.Context, server, zone string) ([]dns.RR, error) {
	dialing, cancel := context.WithTimeout(ctx, c.timeout())
	conn, err := c.dial(dialing, "tcp", server)
	if err == nil {
		// From here on ctx alone closes the connection.
		conn.stop()
		conn.stop = context.AfterFunc(ctx, func() { _ = conn.Conn.Close() })
	}
	cancel()
	if err != nil {
		return nil, err
	}
	defer conn.close()
	c.extend(ctx, conn)
	m := new(dns.Msg)
	m.SetAxfr(dns.Fqdn(zone))
	if err := conn.send(m); err != nil {
		return nil, conn.explain(ctx, err)
	}
	rrs, err := c.collect(ctx, conn, m)
	if err != nil {
		return nil, conn.explain(ctx, err)
	}
	return rrs, conn.finished()
}

// extend gives the next message its time.
func (c *Client) extend(ctx context.Context, conn *connection) {
	deadline := time.Now().Add(c.timeout())
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	_ = conn.SetDeadline(deadline) // a closed connection fails the next read
}

// collect reads messages until the SOA comes the second time.
func (c *Client) collect(ctx context.Context, conn *connection, m *dns.Msg) ([]dns.RR, error) {
	var rrs []dns.RR
	for {
		c.extend(ctx, conn)
		answer, err := conn.receive()
		switch {
		case err != nil:
			return nil, err
		case answer.Id != m.Id || !answer.Response:
			return nil, fmt.Errorf("the answer belongs to another question")
		case answer.Rcode != dns.RcodeSuccess:
			return nil, &RcodeError{Rcode: answer.Rcode, Signed: answer.IsTsig() != nil}
		case len(rrs) == 0 && !startsWithSOA(answer, m.Question[0].Name):
			return nil, fmt.Errorf("the transfer doesn't begin with the zone's SOA")
		}
		for i, rr := range answer.Answer {
			if len(rrs) > 0 && rr.Header().Rrtype == dns.TypeSOA {
				if i != len(answer.Answer)-1 || !dns.IsDuplicate(rr, rrs[0]) {
					return nil, fmt.Errorf("the transfer ends in another SOA than it began with")
				}
				return rrs, nil
			}
			rrs = append(rrs, rr)
		}
		if len(rrs) > maxRecords {
			return nil, fmt.Errorf("the zone has more than %d records", maxRecords)
		}
	}
}

func startsWithSOA(answer *dns.Msg, zone string) bool {
	if len(answer.Answer) == 0 {
		return false
	}
	h := answer.Answer[0].Header()
	return h.Rrtype == dns.TypeSOA && dns.CanonicalName(h.Name) == dns.CanonicalName(zone)
}
