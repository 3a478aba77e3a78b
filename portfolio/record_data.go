package portfolio

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// relativeOrigin marks, while data is read, the names that were written
// without a trailing dot. Its one octet is a control character, which nobody
// writes in a name.
const relativeOrigin = `\001.`

// canonicalData gives the canonical form of one value as written.
func canonicalData(zone Name, t rrtype, s string) (string, *fault) {
	if t.isText() {
		return canonicalText(s)
	}
	s = strings.Trim(s, " \t")
	if t.code == dns.TypeA || t.code == dns.TypeAAAA {
		if !strings.HasPrefix(s, `\#`) {
			addr, f := parseAddress(t, s)
			if f != nil {
				return "", f
			}
			return addr.String(), nil
		}
	}
	s, f := cleanData(s)
	if f != nil {
		return "", f
	}
	rr, f := parseData(t, s, relativeOrigin)
	if f != nil {
		return "", f
	}
	eachName(rr, func(name string) string {
		if f != nil {
			return name
		}
		name, f = absoluteTarget(zone, name)
		return name
	})
	if f != nil {
		return "", f
	}
	data, err := dataOf(rr)
	if err != nil {
		return "", dataFault(t, err)
	}
	return data, nil
}

func parseAddress(t rrtype, s string) (netip.Addr, *fault) {
	addr, err := netip.ParseAddr(s)
	switch {
	case err != nil || addr.Zone() != "":
		if t.code == dns.TypeA {
			return addr, &fault{"is not an IPv4 address", "write it like 192.0.2.10"}
		}
		return addr, &fault{"is not an IPv6 address", "write it like 2001:db8::10"}
	case addr.Is4() && t.code == dns.TypeAAAA:
		return addr, &fault{"is an IPv4 address", "write it under type A"}
	case addr.Is6() && t.code == dns.TypeA:
		return addr, &fault{"is an IPv6 address", "write it under type AAAA"}
	}
	return addr, nil
}

// cleanData refuses what would end the data early in a zone file, and turns
// names with U-labels into A-labels.
func cleanData(s string) (string, *fault) {
	plain := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", &fault{fmt.Sprintf("has the control character U+%04X", c), "write each value on one line"}
		case c == ';' || c == '"' || c == '\\' || c > '~':
			plain = false
		}
	}
	if plain {
		return s, nil
	}
	var b strings.Builder
	for s != "" {
		n, f := nextPart(s)
		if f != nil {
			return "", f
		}
		part := s[:n]
		if part[0] != '"' && !isASCII(part) && !strings.Contains(part, "=") {
			if part, f = hostASCII(part); f != nil {
				return "", f
			}
		}
		b.WriteString(part)
		s = s[n:]
	}
	return b.String(), nil
}

// nextPart gives the length of the first part of s: white space, a quoted
// string with its quotes, or what stands between them.
func nextPart(s string) (int, *fault) {
	if s[0] == '"' {
		token, _, f := cutCharacterString(s)
		return len(token) + 2, f
	}
	blank := s[0] == ' ' || s[0] == '\t'
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == ' ' || c == '\t') != blank, c == '"':
			return i, nil
		case c == ';':
			return 0, &fault{"has a semicolon outside quotes, which starts a comment", `write it in quotes, like 0 issue ";"`}
		case c == '\\':
			i++
		}
	}
	return len(s), nil
}

// parseData reads data of one record; its owner is the root.
func parseData(t rrtype, s, origin string) (dns.RR, *fault) {
	line := ". 0 IN " + t.name + " " + s + "\n"
	zp := dns.NewZoneParser(strings.NewReader(line), origin, "")
	rr, ok := zp.Next()
	if err := zp.Err(); err != nil {
		return nil, dataFault(t, err)
	}
	if !ok || rr.Header().Rrtype != t.code {
		return nil, dataFault(t, errors.New("no data"))
	}
	return rr, nil
}

func dataFault(t rrtype, err error) *fault {
	detail := strings.TrimPrefix(err.Error(), "dns: ")
	detail, _, _ = strings.Cut(detail, " at line: ")
	f := &fault{reason: fmt.Sprintf("is no data of type %s (%s)", t.name, detail)}
	if example := t.example(); example != "" {
		f.hint = "write it like " + example
	}
	return f
}

// absoluteTarget makes a name that was read with relativeOrigin absolute.
func absoluteTarget(zone Name, name string) (string, *fault) {
	if name == relativeOrigin {
		return zone.FQDN(), nil
	}
	written, relative := strings.CutSuffix(name, "."+relativeOrigin)
	if !relative {
		return name, nil
	}
	if !strings.Contains(written, ".") {
		return "", &fault{
			fmt.Sprintf("has the target %q without a dot", written),
			fmt.Sprintf("write %s.%s, or %s. for a top-level domain", written, zone.FQDN(), written),
		}
	}
	return written + ".", nil
}

// eachName replaces every domain name in the data of rr by fn's answer.
func eachName(rr dns.RR, fn func(string) string) {
	v := reflect.ValueOf(rr).Elem()
	if v.NumField() == 1 { // HTTPS is SVCB by embedding, and so on
		v = v.Field(0)
	}
	for i := 1; i < v.NumField(); i++ { // 0 is the header
		switch v.Type().Field(i).Tag.Get("dns") {
		case "domain-name", "cdomain-name", "ipsechost", "amtrelayhost":
		default:
			continue
		}
		field := v.Field(i)
		if field.Kind() == reflect.String {
			if field.String() != "" {
				field.SetString(fn(field.String()))
			}
			continue
		}
		for j := range field.Len() {
			field.Index(j).SetString(fn(field.Index(j).String()))
		}
	}
}

// dataOf writes the canonical RDATA of rr. The way through the wire format
// undoes every freedom of the presentation format: escapes, quoting, the order
// of SvcParams, the case of hexadecimal digits.
func dataOf(rr dns.RR) (string, error) {
	wire, err := packed(rr)
	if err != nil {
		return "", err
	}
	if len(wire) == rdataOffset && !mayBeEmpty(rr) {
		return "", errors.New("no data")
	}
	rr, _, err = dns.UnpackRR(wire, 0)
	if err != nil {
		return "", err
	}
	eachName(rr, lowerASCII)
	if caa, ok := rr.(*dns.CAA); ok {
		caa.Tag = lowerASCII(caa.Tag)
	}
	switch rr := rr.(type) {
	case *dns.RFC3597:
		return genericData(rr.Rdata), nil
	case *dns.A, *dns.AAAA, *dns.CNAME, *dns.NS, *dns.PTR, *dns.MX, *dns.SRV, *dns.CAA, *dns.TLSA, *dns.SSHFP, *dns.DS:
		return presentation(rr), nil
	}
	return checkedPresentation(rr)
}

// mayBeEmpty tells the types whose data may be empty, which miekg/dns packs
// for all types, since dynamic updates have such records.
func mayBeEmpty(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.RFC3597:
		_, known := dns.TypeToRR[rr.Hdr.Rrtype]
		return !known
	case *dns.NULL, *dns.APL:
		return true
	}
	return false
}

// rdataOffset is where the data starts in what packed gives: behind the root,
// type, class, TTL and length.
const rdataOffset = 11

// packed gives the wire format of rr with the root as owner, zero TTL.
func packed(rr dns.RR) ([]byte, error) {
	rr = dns.Copy(rr)
	*rr.Header() = dns.RR_Header{Name: ".", Rrtype: rr.Header().Rrtype, Class: dns.ClassINET}
	buf := make([]byte, dns.Len(rr)+16)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

func presentation(rr dns.RR) string {
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}

// checkedPresentation falls back to the generic form (RFC 3597) for the rare
// data whose presentation isn't read back as the same.
func checkedPresentation(rr dns.RR) (string, error) {
	want, err := packed(rr)
	if err != nil {
		return "", err
	}
	text := presentation(rr)
	t := rrtype{rr.Header().Rrtype, typeName(rr.Header().Rrtype)}
	if back, f := parseData(t, text, "."); f == nil {
		if got, err := packed(back); err == nil && bytes.Equal(got, want) {
			return text, nil
		}
	}
	return genericData(hex.EncodeToString(want[rdataOffset:])), nil
}

func genericData(digits string) string {
	if digits == "" {
		return `\# 0`
	}
	return `\# ` + strconv.Itoa(len(digits)/2) + " " + strings.ToLower(digits)
}
