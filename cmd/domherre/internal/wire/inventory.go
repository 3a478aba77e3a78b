package wire

import (
	"time"

	"domherre/check"
	"domherre/config"
	"domherre/tls"
)

// CertificateList is the contract's JSON of the inventory.
type CertificateList struct {
	Version      int               `json:"version"`
	Portfolio    string            `json:"portfolio"`
	Certificates []CertificateItem `json:"certificates"`
	Waiting      []WaitingItem     `json:"waiting"`
}

// CertificateItem is one certificate.
type CertificateItem struct {
	Names     []string  `json:"names"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	RenewAt   time.Time `json:"renew_at"`
	ARI       bool      `json:"ari"`
	LastError string    `json:"last_error"`
}

// WaitingItem is a certificate that an order is due for, or will be.
type WaitingItem struct {
	Domain    string     `json:"domain"`
	ASCII     string     `json:"ascii"`
	Names     []string   `json:"names"`
	State     string     `json:"state"`   // new, names, renewal, planned
	Waiting   string     `json:"waiting"` // for what, where that is known
	Attempts  int        `json:"attempts"`
	LastError string     `json:"last_error"`
	NextTry   *time.Time `json:"next_try"`
}

// StatePlanned is that of a domain that isn't launched yet; the others are the
// reasons of tls.Turn.
const StatePlanned = "planned"

// Inventory lists the certificates, with every secret of the config taken out
// of what CAs and networks said.
func Inventory(cfg *config.Config, certs *tls.Manager) []tls.Entry {
	inventory := certs.Inventory()
	for i := range inventory {
		e := &inventory[i]
		e.LastError, e.Waiting = cfg.Redact(e.LastError), cfg.Redact(e.Waiting)
	}
	return inventory
}

// CertificatesJSON puts the inventory into the contract's form: what there is,
// and what waits.
func CertificatesJSON(cfg *config.Config, certs *tls.Manager, now time.Time) CertificateList {
	list := CertificateList{Version: 1, Portfolio: cfg.Portfolio.ID, Certificates: []CertificateItem{}, Waiting: []WaitingItem{}}
	for _, e := range Inventory(cfg, certs) {
		if e.Due != "" {
			list.Waiting = append(list.Waiting, WaitingItem{
				Domain: unicodeOf(e.Domain), ASCII: e.Domain, Names: e.Names, State: e.Due, Waiting: e.Waiting,
				Attempts: e.Attempts, LastError: e.LastError, NextTry: timeOrNull(e.NextTry),
			})
		}
		if e.NotAfter.IsZero() {
			continue
		}
		list.Certificates = append(list.Certificates, CertificateItem{
			Names: e.Names, Issuer: e.Issuer, Serial: e.Serial, NotBefore: e.NotBefore, NotAfter: e.NotAfter,
			RenewAt: e.RenewAt, ARI: e.ARI, LastError: e.LastError,
		})
	}
	list.Waiting = append(list.Waiting, planned(cfg, now)...)
	return list
}

// Explain says what each certificate waits for as the daemon that orders it has
// seen that, where it isn't known here.
func (l *CertificateList) Explain(r check.Report) {
	findings := map[string]string{}
	for _, d := range r.Domains {
		for _, c := range d.Checks {
			if c.Check == check.CheckCertificate && c.State != check.StateOK {
				findings[d.ASCII] = c.Finding
			}
		}
	}
	for i := range l.Waiting {
		if w := &l.Waiting[i]; w.Waiting == "" && w.LastError == "" {
			w.Waiting = findings[w.ASCII]
		}
	}
}

// planned lists the domains whose first certificate waits for their launch.
func planned(cfg *config.Config, now time.Time) []WaitingItem {
	var all []WaitingItem
	for _, d := range cfg.Portfolio.Domains {
		names := certificateNames(d, cfg.TLS.Wildcard, canWildcard(cfg.TLS))
		if now.Before(d.Launch) && len(names) > 0 {
			all = append(all, WaitingItem{
				Domain: d.Name.Unicode(), ASCII: d.Name.ASCII(), Names: names, State: StatePlanned,
				Waiting: "its launch", NextTry: timeOrNull(d.Launch),
			})
		}
	}
	return all
}
