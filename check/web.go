package check

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/idna"
)

// maxProbes bounds the requests to one domain's hosts at a time.
const maxProbes = 4

// visit is what a visitor of one host meets at one address.
type visit struct {
	host   Host
	plain  probe
	secure probe
}

// web checks certificate and redirect, which share their requests.
func (r run) web(ctx context.Context) []verdict {
	if r.planned {
		date := words{"date": r.s.Domain.Launch.Format(dateForm)}
		return []verdict{
			{CheckCertificate, StateWaiting, plannedCertificate, date},
			{CheckRedirect, StateWaiting, plannedRedirect, date},
		}
	}
	if len(r.s.Hosts) == 0 || len(r.s.Domain.DNS.Addresses) == 0 {
		return []verdict{
			{CheckCertificate, StateUnknown, noAddresses, nil},
			{CheckRedirect, StateUnknown, noAddresses, nil},
		}
	}
	visits := r.visits(ctx)
	return []verdict{r.certificate(visits), r.redirect(visits)}
}

// visits calls on every host at every address.
func (r run) visits(ctx context.Context) []visit {
	plain, secure := r.c.addresses(r.s.Domain.DNS.Addresses)
	visits := make([]visit, 0, len(r.s.Hosts)*len(plain))
	for _, host := range r.s.Hosts {
		for range plain {
			visits = append(visits, visit{host: host})
		}
	}
	slots := make(chan struct{}, maxProbes)
	var wait sync.WaitGroup
	for i := range visits {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			v, at := &visits[i], i%len(plain)
			v.plain = r.c.probe(ctx, plain[at], pageOf("http", v.host))
			v.secure = r.c.probe(ctx, secure[at], pageOf("https", v.host))
		})
	}
	wait.Wait()
	return visits
}

// pageOf gives the address of a host's front page. A wildcard host is visited
// by a name that it covers.
func pageOf(scheme string, host Host) *url.URL {
	return &url.URL{Scheme: scheme, Host: visited(host.Name), Path: "/"}
}

func visited(host string) string {
	if rest, ok := strings.CutPrefix(host, "*."); ok {
		return UserAgent + "." + rest
	}
	return host
}

// redirect judges where visitors are led: the first fault found is told.
func (r run) redirect(visits []visit) verdict {
	for _, v := range visits {
		if fault, ok := r.misled(v); ok {
			return fault
		}
	}
	if r.s.Domain.Paused {
		return verdict{CheckRedirect, StateOK, pausedPage, nil}
	}
	return verdict{CheckRedirect, StateOK, leads, words{
		"count": strconv.Itoa(len(r.s.Hosts)), "target": people(r.s.Hosts[0].Target),
	}}
}

// misled tells what is wrong with one visit, if anything is.
func (r run) misled(v visit) (verdict, bool) {
	with := words{"host": unicodeHost(v.host.Name), "target": people(v.host.Target)}
	for _, p := range []probe{v.plain, v.secure} {
		with["address"] = p.at.String()
		switch {
		case p.dial != nil:
			with["reason"] = p.dial
			return verdict{CheckRedirect, StateBroken, noConnection, with}, true
		case p.tls != nil:
			return r.noHandshake(p, with), true
		case p.http != nil:
			with["reason"] = p.http
			return verdict{CheckRedirect, StateBroken, noAnswer, with}, true
		}
	}
	if r.s.Domain.Paused {
		return r.notPaused(v, with)
	}
	with["seen"] = describe(v.secure.status, v.secure.to)
	switch {
	case v.secure.to == "" || v.secure.status < 300 || v.secure.status > 399:
		return verdict{CheckRedirect, StateBroken, noRedirect, with}, true
	case !sameURL(v.secure.to, v.host.Target):
		return verdict{CheckRedirect, StateBroken, wrongTarget, with}, true
	case v.host.Status != 0 && v.secure.status != v.host.Status:
		with["want"] = strconv.Itoa(v.host.Status)
		return verdict{CheckRedirect, StateWarning, wrongStatus, with}, true
	}
	if v.plain.status < 300 || v.plain.status > 399 || !r.onTheWay(v) {
		with["seen"] = describe(v.plain.status, v.plain.to)
		return verdict{CheckRedirect, StateBroken, plainMisled, with}, true
	}
	return verdict{}, false
}

// onTheWay reports whether plain HTTP leads to the same host's HTTPS, or
// straight to the target.
func (r run) onTheWay(v visit) bool {
	to, err := url.Parse(v.plain.to)
	if err != nil {
		return false
	}
	own := to.Scheme == "https" && strings.EqualFold(to.Hostname(), visited(v.host.Name))
	return own || sameURL(v.plain.to, v.host.Target)
}

// noHandshake waits with the certificate, where there is none yet.
func (r run) noHandshake(p probe, with words) verdict {
	if state := r.s.Certificate; state.Certificate == nil && state.LastError == "" {
		return verdict{CheckRedirect, StateWaiting, redirectWaits, with}
	}
	with["reason"] = p.tls
	return verdict{CheckRedirect, StateBroken, noSecure, with}
}

// notPaused tells a paused domain that still leads on.
func (r run) notPaused(v visit, with words) (verdict, bool) {
	if v.secure.status == http.StatusGone {
		return verdict{}, false
	}
	with["seen"] = describe(v.secure.status, v.secure.to)
	return verdict{CheckRedirect, StateBroken, stillLeads, with}, true
}

func describe(status int, location string) string {
	if location == "" {
		return strconv.Itoa(status)
	}
	return fmt.Sprintf("%d %s", status, people(location))
}

// sameURL compares two addresses as browsers would: the case of the host and
// the order of parameters don't matter, nor does an empty path.
func sameURL(a, b string) bool {
	one, errOne := url.Parse(a)
	two, errTwo := url.Parse(b)
	if errOne != nil || errTwo != nil {
		return a == b
	}
	return one.Scheme == two.Scheme && strings.EqualFold(asciiHost(one.Host), asciiHost(two.Host)) &&
		orDefault(one.EscapedPath(), "/") == orDefault(two.EscapedPath(), "/") &&
		one.Query().Encode() == two.Query().Encode() && one.Fragment == two.Fragment
}

// asciiHost gives a host, which may have a port, as A-labels.
func asciiHost(host string) string {
	name, port, hasPort := strings.Cut(host, ":")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return host
	}
	if hasPort {
		return ascii + ":" + port
	}
	return ascii
}

// unicodeHost shows a host as people write it.
func unicodeHost(host string) string {
	if unicode, err := idna.Lookup.ToUnicode(strings.TrimPrefix(host, "*.")); err == nil {
		if strings.HasPrefix(host, "*.") {
			return "*." + unicode
		}
		return unicode
	}
	return host
}

// people shows a URL with its host as people write it.
func people(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return strings.Replace(address, u.Hostname(), unicodeHost(u.Hostname()), 1)
}
