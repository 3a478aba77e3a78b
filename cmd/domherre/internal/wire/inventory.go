package wire

import (
	"time"

	"domherre/config"
	"domherre/tls"
)

// CertificateList is the contract's JSON of the inventory.
type CertificateList struct {
	Version      int               `json:"version"`
	Certificates []CertificateItem `json:"certificates"`
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

// CertificatesJSON puts the inventory into the contract's form: what there is.
func CertificatesJSON(inventory []tls.Entry) CertificateList {
	list := CertificateList{Version: 1, Certificates: []CertificateItem{}}
	for _, e := range inventory {
		if e.NotAfter.IsZero() {
			continue
		}
		list.Certificates = append(list.Certificates, CertificateItem{
			Names: e.Names, Issuer: e.Issuer, Serial: e.Serial, NotBefore: e.NotBefore, NotAfter: e.NotAfter,
			RenewAt: e.RenewAt, ARI: e.ARI, LastError: e.LastError,
		})
	}
	return list
}
