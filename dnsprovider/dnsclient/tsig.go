package dnsclient

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const fudge = 300 // seconds that two clocks may differ (RFC 8945, section 10)

// Key is a TSIG key (RFC 8945). It prints without its secret.
type Key struct {
	name   string // lower case, absolute: servers answer with the name so
	alg    string // "hmac-sha256."
	secret []byte
	hash   func() hash.Hash
}

// Algorithms lists what TSIG keys can use, the default first.
func Algorithms() []string {
	return []string{"hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1"}
}

// NewKey makes a key of its name, its algorithm ("" for hmac-sha256) and its
// secret in base64. Errors never show the secret.
func NewKey(name, algorithm, secret string) (*Key, error) {
	if algorithm == "" {
		algorithm = Algorithms()[0]
	}
	k := &Key{name: dns.CanonicalName(name), alg: dns.CanonicalName(algorithm)}
	if _, ok := dns.IsDomainName(k.name); !ok || name == "" {
		return nil, fmt.Errorf("the key's name %q is no domain name", name)
	}
	switch k.alg {
	case dns.HmacSHA1:
		k.hash = sha1.New
	case dns.HmacSHA224:
		k.hash = sha256.New224
	case dns.HmacSHA256:
		k.hash = sha256.New
	case dns.HmacSHA384:
		k.hash = sha512.New384
	case dns.HmacSHA512:
		k.hash = sha512.New
	default:
		return nil, fmt.Errorf("the algorithm %q is unknown; write one of %s", algorithm, strings.Join(Algorithms(), ", "))
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(secret))
	if err != nil || len(raw) == 0 {
		return nil, errors.New("the secret is not base64; copy it as the name server's own config has it")
	}
	k.secret = raw
	return k, nil
}

// Name gives the key's name, absolute and in lower case.
func (k *Key) Name() string { return k.name }

// Algorithm gives the key's algorithm without a trailing dot.
func (k *Key) Algorithm() string { return strings.TrimSuffix(k.alg, ".") }

// String gives name and algorithm.
func (k *Key) String() string { return k.name + " (" + k.Algorithm() + ")" }

// GoString keeps the secret out of %#v too.
func (k *Key) GoString() string { return k.String() }

// TSIGError is a signature that one of the two sides doesn't accept.
type TSIGError struct {
	Code   int           // BADSIG 16, BADKEY 17, BADTIME 18, … as the server said; 0 where the fault is in the answer
	Reason string        // what is wrong with the answer, where Code is 0
	Skew   time.Duration // with BADTIME: the server's clock minus ours
}

func (e *TSIGError) Error() string {
	switch e.Code {
	case 0:
		return "the answer's signature is not valid: " + e.Reason
	case dns.RcodeBadSig:
		return "the server refuses the signature (BADSIG)"
	case dns.RcodeBadKey:
		return "the server doesn't know the key (BADKEY)"
	case dns.RcodeBadTime:
		return fmt.Sprintf("the server refuses the time of the signature (BADTIME); its clock differs by %s", e.Skew)
	}
	return fmt.Sprintf("the server refuses the signature (TSIG error %d)", e.Code)
}

// signed packs m with the key's signature and gives the MAC too; without a key
// it only packs.
func (k *Key) signed(m *dns.Msg, now time.Time) (wire, mac []byte, err error) {
	wire, err = m.Pack()
	if err != nil || k == nil {
		return wire, nil, err
	}
	t := &dns.TSIG{
		Hdr:       dns.RR_Header{Name: k.name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: k.alg, TimeSigned: uint64(now.Unix()), Fudge: fudge, OrigId: m.Id,
	}
	mac = k.mac(wire, variables(t))
	t.MAC, t.MACSize = hex.EncodeToString(mac), uint16(len(mac))
	record := make([]byte, dns.Len(t)+16)
	n, err := dns.PackRR(t, record, 0, nil, false)
	if err != nil {
		return nil, nil, err
	}
	binary.BigEndian.PutUint16(wire[10:], binary.BigEndian.Uint16(wire[10:])+1)
	return append(wire, record[:n]...), mac, nil
}

func (k *Key) mac(parts ...[]byte) []byte {
	h := hmac.New(k.hash, k.secret)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}
