package dnsclient

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"

	"github.com/miekg/dns"
)

// Keyring is the keys that a server knows. It checks and makes signatures for
// dns.Server. A key counts only with its own algorithm (RFC 8945, section 5.2.1).
type Keyring []*Key

var _ dns.TsigProvider = Keyring(nil)

// find gives the key that a signature names.
func (r Keyring) find(t *dns.TSIG) *Key {
	for _, k := range r {
		if k.name == dns.CanonicalName(t.Hdr.Name) && k.alg == dns.CanonicalName(t.Algorithm) {
			return k
		}
	}
	return nil
}

// Generate implements dns.TsigProvider. The error is dns.ErrSecret for a key
// that isn't on the ring.
func (r Keyring) Generate(msg []byte, t *dns.TSIG) ([]byte, error) {
	k := r.find(t)
	if k == nil {
		return nil, dns.ErrSecret
	}
	return k.mac(msg), nil
}

// Verify implements dns.TsigProvider. The error is dns.ErrSecret for a key that
// isn't on the ring, dns.ErrSig where the signature doesn't fit.
func (r Keyring) Verify(msg []byte, t *dns.TSIG) error {
	want, err := r.Generate(msg, t)
	if err != nil {
		return err
	}
	got, err := hex.DecodeString(t.MAC)
	if err != nil || !hmac.Equal(got, want) {
		return dns.ErrSig
	}
	return nil
}

// Equal reports whether two rings hold the same keys in the same order.
func (r Keyring) Equal(o Keyring) bool {
	if len(r) != len(o) {
		return false
	}
	for i, k := range r {
		if k.name != o[i].name || k.alg != o[i].alg || !bytes.Equal(k.secret, o[i].secret) {
			return false
		}
	}
	return true
}
