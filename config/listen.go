package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"domherre/portfolio"
)

// listenFields are the keys of listen:.
func listenFields(c *Listen) []field {
	return []field{
		leaf("http", listenAddress(&c.HTTP), `":80"`, `Plain HTTP; "off" for none.`),
		leaf("https", listenAddress(&c.HTTPS), `":443"`, `HTTPS; "off" for none.`),
		leaf("http3", boolean(&c.HTTP3), "true", "HTTP/3 on the port of https."),
		leaf("admin", listenAddress(&c.Admin), "127.0.0.1:8480", "Status page, API and metrics."),
		leaf("dns", listenAddress(&c.DNS), "127.0.0.1:5380", "The embedded name server."),
		leaf("proxy_from", listOf(&c.ProxyFrom, schema{"type": "string"}, prefix), "", "Balancers whose PROXY protocol is believed: addresses or networks."),
	}
}

// listenAddress reads HOST:PORT or :PORT; "off" and "" are no listener.
func listenAddress(dst *string) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		if s == "off" || s == "" {
			*dst = ""
			return
		}
		host, port, err := net.SplitHostPort(s)
		if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
			hint := `write ADDRESS:PORT, such as 127.0.0.1:8480 or ":80"`
			if n, e := strconv.Atoi(s); e == nil && n > 0 && n <= 65535 {
				hint = fmt.Sprintf(`write ":%s"`, s)
			}
			v.fault(fmt.Sprintf("%q is no address to listen on", s), hint)
			return
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
			v.fault(fmt.Sprintf("%q is no address of this machine", host), "write an IP address, localhost, or nothing for all")
			return
		}
		*dst = s
	}}
}

func prefix(v value) (netip.Prefix, bool) {
	s, ok := v.text()
	if !ok {
		return netip.Prefix{}, false
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		v.fault(fmt.Sprintf("%q is no address or network", s), "write one such as 192.0.2.7 or 192.0.2.0/24")
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

// resolver53 reads a name server, ADDRESS or ADDRESS:PORT, as ADDRESS:PORT.
func resolver53(v value) (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	addr, ok := addrPort(s, 53)
	if !ok {
		v.fault(fmt.Sprintf("%q is no address of a name server", s), "write one such as 192.0.2.53 or [2001:db8::53]:5353")
		return "", false
	}
	return addr.String(), true
}

func addrPort(s string, port uint16) (netip.AddrPort, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap, ap.Port() != 0
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return netip.AddrPortFrom(addr, port), err == nil
}

// rdap reads auto, off, or base URLs by top-level domain.
func rdap(dst *RDAP) kind {
	s := schema{"oneOf": []schema{
		{"enum": []string{"auto", "off"}},
		{"type": "object", "additionalProperties": schema{"type": "string", "format": "uri"}},
	}}
	return kind{schema: s, read: func(v value) {
		if v.node.Kind != mappingNode {
			var word string
			oneOf(&word, "auto", "off").read(v)
			*dst = RDAP{Off: word == "off"}
			return
		}
		*dst = RDAP{Overrides: map[string]string{}}
		keys, values, _ := v.pairs()
		for i, k := range keys {
			tld, err := portfolio.ParseOwner(strings.Trim(k.node.Value, "."))
			if err != nil || strings.ContainsAny(tld, "._*@") {
				k.fault(fmt.Sprintf("%q is no top-level domain", k.node.Value), "write one such as se")
				continue
			}
			base, ok := values[i].text()
			if u, err := url.Parse(base); ok && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
				values[i].fault(fmt.Sprintf("%q is no base URL of RDAP", base), "write one such as https://rdap.iis.se/")
				continue
			}
			dst.Overrides[tld] = base
		}
	}}
}

// location reads where the state is kept: a folder, relative to the main
// file's, or a postgres:// URL.
func location(l *loader, dst *Location) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		s, ok := v.text()
		switch scheme, _, isURL := strings.Cut(s, "://"); {
		case !ok:
		case s == "":
			v.fault("is empty", "write a folder such as ./state")
		case !isURL:
			*dst = Location(l.relative(s))
		case scheme != "postgres" && scheme != "postgresql":
			v.fault(fmt.Sprintf("%s:// isn't known", scheme), "write a folder such as ./state, or postgres://…")
		default:
			v.keepPassword(s)
			*dst = Location(s)
		}
	}}
}

// keepPassword remembers the password of a URL as a secret.
func (v value) keepPassword(s string) {
	u, err := url.Parse(s)
	if err != nil {
		v.fault("the URL can't be read", "percent-encode the signs in its password")
		return
	}
	password, set := u.User.Password()
	if !set {
		return
	}
	v.l.secrets.add(password)
	if v.doc.open && !strings.Contains(v.node.Value, "${") {
		v.warn("a password stands here, in a file that others can read", "chmod o-r "+v.doc.file+", or write ${env:NAME} or ${file:PATH}")
	}
}

// isLoopback reports whether only this machine reaches a listening address.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// portfolioID reads the owner name of the zone markers.
func portfolioID(dst *string) kind {
	return kind{schema: schema{"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		if s != slug(s) {
			v.fault(fmt.Sprintf("%q isn't a plain word", s), "write "+orElse(slug(s), "a word of a–z, 0–9 and hyphens"))
			return
		}
		*dst = s
	}}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// checkNameservers warns where a provider names fewer than two.
func (p Provider) checkNameservers(v value) {
	n := len(p.Nameservers)
	switch {
	case n >= 2 || n == 0 && p.Type != Embedded:
	case n == 0:
		v.warn("the embedded name server has no nameservers: a registrar has nothing to delegate to", "write nameservers: [ns1.example.net, ns2.example.net]; registries ask for two")
	default:
		v.warn("one name server alone: registries ask for two, and a domain dies with it", "add another to nameservers")
	}
}

// Embedded is the type of the name server inside the daemon.
const Embedded = "embedded"

// nameserver reads NAME or NAME=ADDRESS:PORT.
func nameserver(v value) (Nameserver, bool) {
	s, ok := v.text()
	if !ok {
		return Nameserver{}, false
	}
	name, addr, hasAddr := strings.Cut(s, "=")
	ns, err := Nameserver{}, error(nil)
	if ns.Name, err = portfolio.ParseHost(strings.TrimSpace(name)); err != nil {
		v.fault(nameProblem(err))
		return ns, false
	}
	if hasAddr {
		if ns.Addr, ok = addrPort(strings.TrimSpace(addr), 53); !ok {
			v.fault(fmt.Sprintf("%q is no address", addr), "write one such as "+ns.Name+"=192.0.2.53:53")
			return ns, false
		}
	}
	return ns, true
}

// clone gives settings whose lists are d's own.
func cloneDNS(d portfolio.DNSSettings) portfolio.DNSSettings {
	d.Addresses = append([]netip.Addr(nil), d.Addresses...)
	d.Hosts = append([]string(nil), d.Hosts...)
	d.CAAValues = append([]string(nil), d.CAAValues...)
	d.Ignore = append([]string(nil), d.Ignore...)
	d.Records = nil
	return d
}
