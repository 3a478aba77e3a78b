package tls

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// CAAIdentity is what CAA records must permit for one issuer to issue (RFC
// 8659, RFC 8657).
type CAAIdentity struct {
	Issuer     string   // its ACME directory's host name
	Domains    []string // any of these names it
	AccountURI string   // of our account; empty while none is registered
	Methods    []string // validation methods that we use
	Reason     string   // why Domains is empty
}

// caaDomains are the names that well-known CAs document for CAA records, by
// the end of their directory's host name.
var caaDomains = []struct {
	host  string
	names []string
}{
	{"letsencrypt.org", []string{"letsencrypt.org"}},
	{"zerossl.com", []string{"sectigo.com"}},
	{"sectigo.com", []string{"sectigo.com"}},
	{"pki.goog", []string{"pki.goog"}},
	{"buypass.com", []string{"buypass.com"}},
	{"buypass.no", []string{"buypass.no"}},
	{"ssl.com", []string{"ssl.com"}},
	{"digicert.com", []string{"digicert.com"}},
	{"actalis.com", []string{"actalis.it"}},
	{"globalsign.com", []string{"globalsign.com"}},
}

// caaTimeout bounds asking a CA for its names.
const caaTimeout = 10 * time.Second

// CAAIdentities says what CAA records must permit, for each ACME issuer in
// order. An issuer that can't be asked has no Domains, and the Reason; nothing
// waits longer than ten seconds for it. The internal CA isn't listed: nobody
// checks CAA for it.
func (m *Manager) CAAIdentities(ctx context.Context) []CAAIdentity {
	ctx, cancel := context.WithTimeout(ctx, caaTimeout)
	defer cancel()
	all := make([]CAAIdentity, len(m.issuers))
	var asked sync.WaitGroup
	for i, iss := range m.issuers {
		asked.Go(func() { all[i] = iss.caaIdentity(ctx) })
	}
	asked.Wait()
	if m.issuers[0].internal != nil {
		return nil
	}
	return all
}

func (i *issuer) caaIdentity(ctx context.Context) CAAIdentity {
	if i.acme == nil {
		return CAAIdentity{}
	}
	id := CAAIdentity{Issuer: i.name, Methods: i.acme.Challenges(), AccountURI: i.acme.AccountURI(ctx)}
	for _, known := range caaDomains {
		if i.name == known.host || strings.HasSuffix(i.name, "."+known.host) {
			id.Domains = known.names
			return id
		}
	}
	names, err := i.acme.CAAIdentities(ctx)
	if err != nil {
		id.Reason = fmt.Sprintf("which name the CA has in CAA records isn't known: %v", err)
	}
	id.Domains = names
	return id
}
