package config

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"domherre/portfolio"
)

// entry is one domain as it was declared, before defaults are merged in.
type entry struct {
	at       value // its name
	name     string
	parsed   portfolio.Name
	frontend string
	provider string
	dns      dnsDraft
	redirect portfolio.RedirectSettings
	has      map[string]value // what the entry itself says, by path: "dns.mail"

	note, owner, registrar string
	tags                   []string
	added, expires, launch time.Time
	paused                 bool
}

// newEntry starts an entry from the defaults of the main file.
func (l *loader) newEntry() entry {
	e := entry{dns: l.dns, redirect: l.config.Redirect}
	e.dns.DNSSettings = cloneDNS(l.dns.DNSSettings)
	e.redirect.Tags = maps.Clone(l.config.Redirect.Tags)
	return e
}

// says reports whether the entry itself has a key, and where.
func (e *entry) says(path string) (value, bool) {
	v, ok := e.has[path]
	return v, ok
}

// remember notes that the entry itself has a key.
func (e *entry) remember(v value) {
	if e.has == nil {
		e.has = map[string]value{}
	}
	e.has[v.path] = v
}

// entryFields are the keys of an entry.
func entryFields(e *entry) []field {
	return []field{
		leaf("name", text(&e.name), "", "The domain, with å, ä and ö or as xn--…"),
		leaf("frontend", frontend(&e.frontend), "", "Where this domain leads, if not where all do."),
		leaf("provider", text(&e.provider), "", "Name of the DNS provider, if not the first."),
		section("dns", "Records of this domain, where they differ.", dnsFields(&e.dns)...),
		section("redirect", "How this domain leads to the frontend, where it differs.", redirectFields(&e.redirect)...),
		leaf("note", text(&e.note), "", "A remark for people."),
		leaf("owner", text(&e.owner), "", "Who asked for the domain."),
		leaf("tags", listOf(&e.tags, schema{"type": "string"}, value.text), "", "Words to find the domain by."),
		leaf("added", date(&e.added), "", "When it was added: 2026-11-24."),
		leaf("registrar", text(&e.registrar), "", "Where it is registered."),
		leaf("expires", date(&e.expires), "", "When its registration ends, where the registry hides it: 2027-03-01."),
		leaf("paused", boolean(&e.paused), "", "Records stay, visitors get a short page."),
		leaf("launch", date(&e.launch), "", "A date before which there are no web records and no certificate."),
	}
}

// date reads 2026-11-24, the start of that day, or a time by RFC 3339.
func date(dst *time.Time) kind {
	return kind{schema: schema{"type": "string", "format": "date"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		place := v.l.options.Location
		if place == nil {
			place = time.Local
		}
		t, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(s), place)
		if err != nil {
			t, err = time.Parse(time.RFC3339, strings.TrimSpace(s))
		}
		if err != nil {
			v.fault(fmt.Sprintf("%q is no date", s), "write year-month-day, such as 2027-03-01")
			return
		}
		*dst = t
	}}
}

// accept checks an entry's name and keeps the entry, unless the same domain
// was declared before.
func (l *loader) accept(e entry) {
	name, err := portfolio.ParseName(e.name)
	if err != nil {
		e.at.nameFault(err)
		return
	}
	e.parsed = name
	if first, taken := l.names[name]; taken {
		e.at.fault(fmt.Sprintf("%s is listed twice: first at %s", name, first.place()), "keep one of the two")
		return
	}
	l.names[name] = e.at
	l.entries = append(l.entries, &e)
}

func (v value) nameFault(err error) {
	v.path = ""
	v.fault(nameProblem(err))
}
