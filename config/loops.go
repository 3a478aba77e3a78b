package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"domherre/portfolio"
)

// checkLoops refuses frontends that we would serve ourselves. Of the common
// frontend it tells at the line of the domain that serves it; of a domain's
// own, at that.
func (l *loader) checkLoops() {
	served := map[string]*entry{}
	for i, e := range l.entries {
		for _, h := range l.config.Portfolio.Domains[i].DNS.Hosts {
			served[e.parsed.Host(h)] = e
		}
	}
	if host := hostOf(l.config.Frontend); host != "" {
		if e := server(served, host); e != nil && l.config.usesFrontend() {
			e.loop(e.at, host)
		}
	}
	for _, e := range l.entries {
		if e.frontend == "" {
			continue
		}
		host := hostOf(e.frontend)
		if by := server(served, host); by == e {
			e.loop(e.at, host)
		} else if by != nil {
			e.at.fault(fmt.Sprintf("%s leads to %s, which is a domain of this list itself (%s)", e.parsed, show(host), by.at.place()), "write the address where that one leads, too")
		}
	}
}

// usesFrontend reports whether some domain leads to the common frontend.
func (c *Config) usesFrontend() bool {
	return slices.ContainsFunc(c.Portfolio.Domains, func(d portfolio.Domain) bool { return d.Frontend == c.Frontend })
}

func (e *entry) loop(at value, host string) {
	var rest []string
	for _, h := range e.dns.Hosts {
		if server(map[string]*entry{e.parsed.Host(h): e}, host) == nil {
			rest = append(rest, strconv.Quote(h))
		}
	}
	hint := "lead elsewhere, or take the domain off the list"
	if len(rest) > 0 {
		hint = fmt.Sprintf("write dns: {hosts: [%s]} at this domain, or lead elsewhere", strings.Join(rest, ", "))
	}
	at.fault(fmt.Sprintf("%s would serve %s, which is the frontend itself: a redirect without end", e.parsed, show(host)), hint)
}

// server finds who serves host, by its name or by a wildcard above it.
func server(served map[string]*entry, host string) *entry {
	if e := served[host]; e != nil {
		return e
	}
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return nil
		}
		if e := served["*."+parent]; e != nil {
			return e
		}
		host = parent
	}
}
