package embedded

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"github.com/miekg/dns"
)

const (
	tsigFudge = 300 // seconds that two clocks may differ (RFC 8945, section 10)
	maxMAC    = 64  // octets, of HMAC-SHA512
)

// signature is the TSIG (RFC 8945) of one message, by which its answers are
// signed too; nil where it has none.
type signature struct {
	of    *dns.TSIG
	fault uint16 // BADSIG, BADKEY or BADTIME; 0 where it holds
}

// signatureOf gives the signature of a message, as the library has checked it.
func signatureOf(w dns.ResponseWriter, req *dns.Msg) *signature {
	t := req.IsTsig()
	if t == nil {
		return nil
	}
	sig := &signature{of: t}
	switch err := w.TsigStatus(); {
	case err == nil:
	case errors.Is(err, dns.ErrSecret):
		sig.fault = dns.RcodeBadKey
	case errors.Is(err, dns.ErrTime):
		sig.fault = dns.RcodeBadTime
	default:
		sig.fault = dns.RcodeBadSig
	}
	return sig
}

// record makes what the library signs an answer by. That a clock is wrong is
// said with the time here; the library leaves the other two faults unsigned.
func (sig *signature) record(id uint16) *dns.TSIG {
	now := time.Now().Unix()
	t := &dns.TSIG{
		Hdr:       dns.RR_Header{Name: sig.of.Hdr.Name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: sig.of.Algorithm, TimeSigned: uint64(now), Fudge: tsigFudge, OrigId: id, Error: sig.fault,
	}
	if sig.fault == dns.RcodeBadTime {
		t.TimeSigned = sig.of.TimeSigned
		t.OtherData = hex.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(now))[2:])
		t.OtherLen = 6
	}
	return t
}

// send sends one of several messages.
func (sig *signature) send(w dns.ResponseWriter, m *dns.Msg) error {
	if sig == nil {
		return w.WriteMsg(m)
	}
	m.Extra = append(m.Extra, sig.record(m.Id))
	err := w.WriteMsg(m)
	w.TsigTimersOnly(true) // for those that follow (RFC 8945, section 5.3.1)
	return err
}

// write sends a reply of at most size octets. What doesn't fit loses its
// answer and is marked as truncated, so that the client asks again over TCP;
// glue in the zone is no part to leave out (RFC 9471), addresses beside an
// answer are.
func (sig *signature) write(w dns.ResponseWriter, m *dns.Msg, size int) {
	if sig != nil {
		size -= dns.Len(sig.record(0)) + maxMAC
	}
	wire, err := fit(m, size)
	switch {
	case err != nil: // its question can't be repeated: nothing to say
	case sig == nil:
		_, _ = w.Write(wire) // a client that is gone needs no answer
	default:
		_ = sig.send(w, m) // as above
	}
}
