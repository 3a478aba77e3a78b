package portfolio

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// eachName replaces every domain name in the data of rr by fn's answer.
func eachName(rr dns.RR, fn func(string) (string, *fault)) *fault {
	for _, name := range nameFields(rr) {
		if name.String() == "" {
			return &fault{"has an empty target", `write "." for the root`}
		}
		changed, f := fn(name.String())
		if f != nil {
			return f
		}
		name.SetString(changed)
	}
	return nil
}

// nameFields finds the domain names in the data of rr, by the tags that
// miekg/dns itself packs by.
func nameFields(rr dns.RR) []reflect.Value {
	v := reflect.ValueOf(rr).Elem()
	if v.NumField() == 1 { // HTTPS is SVCB by embedding, and so on
		v = v.Field(0)
	}
	var names []reflect.Value
	for i := 1; i < v.NumField(); i++ { // 0 is the header
		field := v.Field(i)
		switch v.Type().Field(i).Tag.Get("dns") {
		case "domain-name", "cdomain-name":
			if field.Kind() == reflect.String {
				names = append(names, field)
				continue
			}
			for j := range field.Len() {
				names = append(names, field.Index(j))
			}
		case "ipsechost", "amtrelayhost": // empty where the gateway is an address
			if field.String() != "" {
				names = append(names, field)
			}
		}
	}
	return names
}

// dataOf writes the canonical RDATA of rr. The way through the wire format
// undoes every freedom of the presentation format: escapes, quoting, the order
// of SvcParams, the case of hexadecimal digits.
func dataOf(rr dns.RR) (string, error) {
	rr = dns.Copy(rr)
	if f := eachName(rr, wireName); f != nil {
		return "", errors.New("it " + f.reason)
	}
	if caa, ok := rr.(*dns.CAA); ok {
		octets, f := unescape(nil, caa.Tag)
		if f != nil {
			return "", errors.New("the tag " + f.reason)
		}
		caa.Tag = escapeChunk([]byte(lowerASCII(string(octets))))
	}
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
	escapeOctets(rr)
	return presentation(rr, wire), nil
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

// escapeOctets puts the escapes into an unpacked rr that miekg/dns v1.1 leaves
// out, though it expects them when it packs.
func escapeOctets(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.CAA:
		rr.Value = escapeChunk([]byte(rr.Value))
	case *dns.URI:
		rr.Target = escapeChunk([]byte(rr.Target))
	}
}

// rdataOffset is where the data starts in what packed gives: behind the root,
// type, class, TTL and length.
const rdataOffset = 11

// packed gives the wire format of rr, with the root as owner and a TTL of
// zero. It changes the header of rr.
func packed(rr dns.RR) ([]byte, error) {
	*rr.Header() = dns.RR_Header{Name: ".", Rrtype: rr.Header().Rrtype, Class: dns.ClassINET}
	buf := make([]byte, dns.Len(rr)+16)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// presentation writes the data of rr, which was unpacked from wire. It falls
// back to the generic form (RFC 3597) for the rare data whose own form isn't
// read back as the same.
func presentation(rr dns.RR, wire []byte) string {
	text := strings.TrimPrefix(rr.String(), rr.Header().String())
	t := rrtype{rr.Header().Rrtype, typeName(rr.Header().Rrtype)}
	switch rr := rr.(type) {
	case *dns.RFC3597:
		return genericData(rr.Rdata)
	case *dns.A, *dns.AAAA, *dns.CNAME, *dns.NS, *dns.PTR, *dns.MX, *dns.SRV:
		return text
	case *dns.CAA:
		text = fmt.Sprintf(`%d %s "%s"`, rr.Flag, rr.Tag, rr.Value)
	case *dns.URI:
		text = fmt.Sprintf(`%d %d "%s"`, rr.Priority, rr.Weight, rr.Target)
	}
	if back, f := parseData(t, text, "."); f == nil {
		if got, err := packed(back); err == nil && bytes.Equal(got, wire) {
			return text
		}
	}
	return genericData(hex.EncodeToString(wire[rdataOffset:]))
}

func genericData(digits string) string {
	if digits == "" {
		return `\# 0`
	}
	return `\# ` + strconv.Itoa(len(digits)/2) + " " + strings.ToLower(digits)
}
