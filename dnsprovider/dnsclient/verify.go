package dnsclient

import (
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/miekg/dns"
)

// conversation checks the signatures of one answer, which may span many
// messages (RFC 8945, section 5.3.1): the first and the last are signed, and
// of those between at most 99 in a row are not; a signature covers all since
// the one before.
type conversation struct {
	key      *Key
	prior    []byte // the MAC before, our own at first
	later    bool   // a signed message was seen: only timers are signed from now on
	unsigned [][]byte
	now      func() time.Time
}

const maxUnsigned = 99

// take checks one message of the answer; m is wire, unpacked.
func (c *conversation) take(wire []byte, m *dns.Msg) error {
	t := m.IsTsig()
	if t == nil {
		return c.takeUnsigned(wire, m)
	}
	switch t.Error {
	case dns.RcodeSuccess:
	case dns.RcodeBadTime:
		return &TSIGError{Code: int(t.Error), Skew: skew(t, c.now())}
	default:
		return &TSIGError{Code: int(t.Error)}
	}
	if dns.CanonicalName(t.Hdr.Name) != c.key.name || dns.CanonicalName(t.Algorithm) != c.key.alg {
		return &TSIGError{Reason: "it is made with another key"}
	}
	stripped, err := withoutTSIG(wire, t.OrigId)
	if err != nil {
		return err
	}
	parts := [][]byte{binary.BigEndian.AppendUint16(nil, uint16(len(c.prior))), c.prior}
	parts = append(parts, c.unsigned...)
	parts = append(parts, stripped)
	if c.later {
		parts = append(parts, timers(t))
	} else {
		parts = append(parts, variables(t))
	}
	got, err := hex.DecodeString(t.MAC)
	if err != nil || !hmac.Equal(got, c.key.mac(parts...)) {
		return &TSIGError{Reason: "it doesn't fit the answer"}
	}
	if d := time.Unix(int64(t.TimeSigned), 0).Sub(c.now()).Abs(); d > time.Duration(t.Fudge)*time.Second {
		return &TSIGError{Code: dns.RcodeBadTime, Skew: skew(t, c.now())}
	}
	c.prior, c.later, c.unsigned = got, true, nil
	return nil
}

func (c *conversation) takeUnsigned(wire []byte, m *dns.Msg) error {
	switch {
	case !c.later && m.Rcode != dns.RcodeSuccess:
		// A server that refuses before it looks at signatures sends none. The
		// refusal can't be trusted, but nothing is built on it either.
		c.later = true
		return nil
	case !c.later:
		return &TSIGError{Reason: "there is none"}
	case len(c.unsigned) == maxUnsigned:
		return &TSIGError{Reason: "there is none on a hundred messages in a row"}
	}
	c.unsigned = append(c.unsigned, wire)
	return nil
}

// finished says whether the last message was signed.
func (c *conversation) finished() error {
	if len(c.unsigned) > 0 {
		return &TSIGError{Reason: "there is none on the last message"}
	}
	return nil
}

// skew gives the server's clock minus ours, from a BADTIME answer's other data
// where it is given (RFC 8945, section 5.2.3).
func skew(t *dns.TSIG, now time.Time) time.Duration {
	at := t.TimeSigned
	if other, err := hex.DecodeString(t.OtherData); err == nil && len(other) == 6 {
		at = binary.BigEndian.Uint64(append([]byte{0, 0}, other...))
	}
	return time.Unix(int64(at), 0).Sub(now).Round(time.Second)
}

// variables gives what of the TSIG record itself is signed (RFC 8945, section 4.3.3).
func variables(t *dns.TSIG) []byte {
	out := nameWire(t.Hdr.Name)
	out = binary.BigEndian.AppendUint16(out, dns.ClassANY)
	out = binary.BigEndian.AppendUint32(out, 0) // TTL
	out = append(out, nameWire(t.Algorithm)...)
	out = append(out, timers(t)...)
	out = binary.BigEndian.AppendUint16(out, t.Error)
	other, _ := hex.DecodeString(t.OtherData) // the library wrote it
	out = binary.BigEndian.AppendUint16(out, uint16(len(other)))
	return append(out, other...)
}

// timers gives what is signed of later messages' TSIG records (section 5.3.1).
func timers(t *dns.TSIG) []byte {
	out := binary.BigEndian.AppendUint64(nil, t.TimeSigned)[2:] // 48 bits
	return binary.BigEndian.AppendUint16(out, t.Fudge)
}

func nameWire(name string) []byte {
	var buf [256]byte
	n, err := dns.PackDomainName(dns.CanonicalName(name), buf[:], 0, nil, false)
	if err != nil {
		return nil // no signature fits then
	}
	return append([]byte(nil), buf[:n]...)
}

var errCutShort = errors.New("the answer is cut short")

// withoutTSIG gives a copy of the message as it was before its last record,
// the TSIG, was added.
func withoutTSIG(wire []byte, id uint16) ([]byte, error) {
	const header = 12
	if len(wire) < header {
		return nil, errCutShort
	}
	count := func(section int) int { return int(binary.BigEndian.Uint16(wire[4+2*section:])) }
	off, err := header, error(nil)
	for range count(0) {
		if off, err = skipName(wire, off); err != nil {
			return nil, err
		}
		off += 4 // type, class
	}
	for range count(1) + count(2) + count(3) - 1 {
		if off, err = skipRecord(wire, off); err != nil {
			return nil, err
		}
	}
	if off > len(wire) {
		return nil, errCutShort
	}
	out := append([]byte(nil), wire[:off]...)
	binary.BigEndian.PutUint16(out, id)
	binary.BigEndian.PutUint16(out[10:], uint16(count(3)-1))
	return out, nil
}

func skipRecord(wire []byte, off int) (int, error) {
	off, err := skipName(wire, off)
	const fixed = 10 // type, class, TTL, length
	if err != nil || off+fixed > len(wire) {
		return 0, errCutShort
	}
	return off + fixed + int(binary.BigEndian.Uint16(wire[off+8:])), nil
}

func skipName(wire []byte, off int) (int, error) {
	for off < len(wire) {
		switch b := int(wire[off]); {
		case b == 0:
			return off + 1, nil
		case b&0xc0 == 0xc0:
			return off + 2, nil
		default:
			off += 1 + b
		}
	}
	return 0, errCutShort
}
