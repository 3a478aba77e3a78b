package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"domherre/portfolio"
)

// frontend reads an absolute https URL.
func frontend(dst *string) kind {
	return kind{schema: schema{"type": "string", "format": "iri", "pattern": "^https://"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		u, message, hint := parseFrontend(s)
		if message != "" {
			v.fault(message, hint)
			return
		}
		*dst = u
	}}
}

// parseFrontend gives the URL in ASCII: the host as A-labels, all else
// percent-encoded. A message means that it can't be a frontend.
func parseFrontend(s string) (canonical, message, hint string) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return "", fmt.Sprintf("%q is no URL", s), "write an address such as https://www.example.se/"
	case u.Scheme == "" && u.Host == "":
		return "", fmt.Sprintf("%q is no absolute URL", s), "write https://" + strings.TrimLeft(s, "/")
	case u.Scheme == "http":
		return "", fmt.Sprintf("%q isn't https: what visitors do there could be read on the way", s), "write https://" + strings.TrimPrefix(s, "http://")
	case u.Scheme != "https" || u.Opaque != "":
		return "", fmt.Sprintf("%q isn't https", s), "write an address such as https://www.example.se/"
	case u.User != nil:
		return "", "a frontend holds no user name or password", ""
	case u.Hostname() == "":
		return "", fmt.Sprintf("%q names no host", s), "write an address such as https://www.example.se/"
	}
	host, err := hostOrAddress(u.Hostname())
	if err != nil {
		message, hint = nameProblem(err)
		return "", message, hint
	}
	u.Scheme, u.Host = "https", join(host, u.Port())
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery = escapeRaw(u.RawQuery)
	return u.String(), "", ""
}

// hostOrAddress gives a host name as lower-case A-labels without a trailing
// dot, or an address in its canonical form. The error is a
// *portfolio.NameError.
func hostOrAddress(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String(), nil
	}
	return portfolio.ParseHost(host)
}

// nameProblem takes the message and the hint out of a *portfolio.NameError.
func nameProblem(err error) (message, hint string) {
	if n := new(portfolio.NameError); errors.As(err, &n) {
		return n.Error(), n.Hint
	}
	return err.Error(), ""
}

func join(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && port != "443" {
		return host + ":" + port
	}
	return host
}

// escapeRaw percent-encodes what isn't printable ASCII in a query.
func escapeRaw(q string) string {
	var b strings.Builder
	for i := range len(q) {
		if c := q[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hostOf gives the host of a canonical URL.
func hostOf(canonical string) string {
	u, err := url.Parse(canonical)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// hasScheme reports whether s starts like a URL.
func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && scheme != ""
}

// show gives a host in both forms where they differ.
func show(ascii string) string {
	if u, err := idna.Lookup.ToUnicode(ascii); err == nil && u != ascii {
		return u + " (" + ascii + ")"
	}
	return ascii
}
