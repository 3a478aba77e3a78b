package wire

import (
	"time"

	"domherre/config"
	"domherre/portfolio"
	"domherre/tls"
)

// RenewalList is the JSON of certs renew.
type RenewalList struct {
	Version      int            `json:"version"`
	Certificates []RenewalItem  `json:"certificates"`
	Summary      map[string]int `json:"summary"` // by outcome
}

// RenewalItem is what became of one certificate.
type RenewalItem struct {
	Domain    string     `json:"domain"`
	ASCII     string     `json:"ascii"`
	Names     []string   `json:"names"`
	Outcome   string     `json:"outcome"` // issued, kept, waits, failed
	Issuer    string     `json:"issuer"`
	NotAfter  *time.Time `json:"not_after"`
	Waiting   string     `json:"waiting"`
	LastError string     `json:"last_error"`
	NextTry   *time.Time `json:"next_try"`
}

// RenewalsJSON puts what became of an errand into its JSON form, with every
// secret of the config taken out.
func RenewalsJSON(cfg *config.Config, done []tls.Renewed) RenewalList {
	list := RenewalList{Version: 1, Certificates: []RenewalItem{}, Summary: map[string]int{
		tls.Issued: 0, tls.Kept: 0, tls.Waits: 0, tls.Failed: 0,
	}}
	for _, r := range done {
		list.Summary[r.Outcome]++
		list.Certificates = append(list.Certificates, RenewalItem{
			Domain: unicodeOf(r.Domain), ASCII: r.Domain, Names: r.Names, Outcome: r.Outcome, Issuer: r.Issuer,
			NotAfter: timeOrNull(r.NotAfter), Waiting: cfg.Redact(r.Waiting), LastError: cfg.Redact(r.LastError), NextTry: timeOrNull(r.NextTry),
		})
	}
	return list
}

// ForecastDoc is the JSON of certs plan.
type ForecastDoc struct {
	Version int            `json:"version"`
	Kept    int            `json:"kept"`
	Issuers []AllowanceDoc `json:"issuers"`
	Orders  []TurnDoc      `json:"orders"`
	Done    time.Time      `json:"done"` // when the last can be ordered
}

// AllowanceDoc is what one CA allows; orders is empty where no limit is known.
type AllowanceDoc struct {
	Issuer string `json:"issuer"`
	Orders string `json:"orders"`
	Left   *int   `json:"left"`
}

// TurnDoc is when one certificate can be ordered.
type TurnDoc struct {
	Domain string    `json:"domain"`
	ASCII  string    `json:"ascii"`
	Names  []string  `json:"names"`
	Reason string    `json:"reason"` // new, names, renewal
	At     time.Time `json:"at"`
}

// ForecastJSON puts a forecast into its JSON form.
func ForecastJSON(f tls.Forecast) ForecastDoc {
	doc := ForecastDoc{Version: 1, Kept: f.Kept, Issuers: []AllowanceDoc{}, Orders: []TurnDoc{}, Done: f.Now.UTC()}
	for _, a := range f.Allowances {
		item := AllowanceDoc{Issuer: a.Issuer}
		if a.Orders != (tls.Limit{}) {
			item.Orders, item.Left = a.Orders.String(), &a.Left
		}
		doc.Issuers = append(doc.Issuers, item)
	}
	for _, t := range f.Turns {
		doc.Orders = append(doc.Orders, TurnDoc{Domain: unicodeOf(t.Domain), ASCII: t.Domain, Names: append([]string{}, t.Names...), Reason: t.Reason, At: t.At.UTC()})
		doc.Done = t.At.UTC()
	}
	return doc
}

// unicodeOf gives a domain in U-labels; what can't be, as it is.
func unicodeOf(ascii string) string {
	n, err := portfolio.ParseName(ascii)
	if err != nil {
		return ascii
	}
	return n.Unicode()
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
