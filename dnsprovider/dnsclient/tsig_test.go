package dnsclient

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const secret = "ZG9taGVycmUtdGVzdHMtb25seS1ubyBzZWNyZXQhISE="

func testKey(t testing.TB, alg string) *Key {
	t.Helper()
	k, err := NewKey("Domherre.Test", alg, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// What we sign, the library accepts, and the other way round.
func TestSignaturesFitTheLibrary(t *testing.T) {
	t.Parallel()
	for _, alg := range Algorithms() {
		k := testKey(t, alg)
		m := new(dns.Msg)
		m.SetUpdate("kopasex.se.")
		m.RemoveRRset([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: "www.kopasex.se.", Rrtype: dns.TypeA}}})
		wire, mac, err := k.signed(m, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if err := dns.TsigVerify(wire, secret, "", false); err != nil {
			t.Errorf("%s: the library refuses our signature: %v", alg, err)
		}
		answer := new(dns.Msg)
		answer.SetReply(m)
		answer.SetTsig(k.name, k.alg, fudge, time.Now().Unix())
		wire, _, err = dns.TsigGenerate(answer, secret, fmt.Sprintf("%x", mac), false)
		if err != nil {
			t.Fatal(err)
		}
		c := conversation{key: k, prior: mac, now: time.Now}
		if err := c.take(wire, unpacked(t, wire)); err != nil {
			t.Errorf("%s: we refuse the library's signature: %v", alg, err)
		}
	}
}

func unpacked(t testing.TB, wire []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		t.Fatal(err)
	}
	return m
}

// signAnswer signs as a server does, messages without a signature between.
func signAnswer(k *Key, prior []byte, later bool, at time.Time, before [][]byte, wire []byte) ([]byte, []byte) {
	m := new(dns.Msg)
	_ = m.Unpack(wire)
	t := &dns.TSIG{
		Hdr:       dns.RR_Header{Name: k.name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: k.alg, TimeSigned: uint64(at.Unix()), Fudge: fudge, OrigId: m.Id,
	}
	parts := [][]byte{{byte(len(prior) >> 8), byte(len(prior))}, prior}
	parts = append(append(parts, before...), wire)
	if later {
		parts = append(parts, timers(t))
	} else {
		parts = append(parts, variables(t))
	}
	mac := k.mac(parts...)
	t.MAC, t.MACSize = fmt.Sprintf("%x", mac), uint16(len(mac))
	m.Extra = append(m.Extra, t)
	out, _ := m.Pack()
	return out, mac
}

func TestConversation(t *testing.T) {
	t.Parallel()
	k, other := testKey(t, ""), testKey(t, "hmac-sha1")
	now := time.Now()
	plain := func(name string) []byte {
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeA)
		m.Id, m.Response = 7, true
		wire, _ := m.Pack()
		return wire
	}
	first, mac := signAnswer(k, []byte("sent"), false, now, nil, plain("a.example."))
	last, _ := signAnswer(k, mac, true, now, [][]byte{plain("b.example."), plain("c.example.")}, plain("d.example."))
	late, _ := signAnswer(k, []byte("sent"), false, now.Add(-time.Hour), nil, plain("a.example."))
	foreign, _ := signAnswer(other, []byte("sent"), false, now, nil, plain("a.example."))
	forged := append([]byte(nil), first...)
	forged[len(plain("a.example."))-6]++ // within the question's name
	for _, c := range []struct {
		name     string
		messages [][]byte
		want     string
	}{
		{"signed", [][]byte{first}, ""},
		{"some unsigned between", [][]byte{first, plain("b.example."), plain("c.example."), last}, ""},
		{"one of them dropped", [][]byte{first, plain("b.example."), last}, "doesn't fit"},
		{"the last unsigned", [][]byte{first, plain("b.example.")}, "none on the last"},
		{"the first unsigned", [][]byte{plain("a.example.")}, "there is none"},
		{"too old", [][]byte{late}, "BADTIME"},
		{"another key", [][]byte{foreign}, "another key"},
		{"changed", [][]byte{forged}, "doesn't fit"},
	} {
		conv := conversation{key: k, prior: []byte("sent"), now: func() time.Time { return now }}
		var err error
		for _, wire := range c.messages {
			if err = conv.take(wire, unpacked(t, wire)); err != nil {
				break
			}
		}
		if err == nil {
			err = conv.finished()
		}
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, alg, secret, want string }{
		{"domherre.", "HMAC-SHA512", secret, ""},
		{"", "", secret, "no domain name"},
		{"a..b", "", secret, "no domain name"},
		{"a", "hmac-md5", secret, "write one of hmac-sha256"},
		{"a", "", "hemlig nyckel!", "not base64"},
		{"a", "", "", "not base64"},
	} {
		k, err := NewKey(c.name, c.alg, c.secret)
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) || strings.Contains(got, "hemlig") {
			t.Errorf("%+v: %v", c, err)
		}
		raw, _ := base64.StdEncoding.DecodeString(secret)
		if shown := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); k != nil && (strings.Contains(shown, string(raw)) || strings.Contains(shown, fmt.Sprint(raw))) {
			t.Error("a key prints its secret")
		}
	}
}

func FuzzVerify(f *testing.F) {
	k, err := NewKey("domherre.", "", secret)
	if err != nil {
		f.Fatal(err)
	}
	m := new(dns.Msg)
	m.SetQuestion("kopasex.se.", dns.TypeSOA)
	wire, _, _ := k.signed(m, time.Unix(1, 0))
	f.Add(wire)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		m := new(dns.Msg)
		if m.Unpack(wire) != nil {
			return
		}
		c := conversation{key: k, prior: []byte("another"), now: time.Now}
		if c.take(wire, m) == nil && m.IsTsig() != nil {
			t.Error("a signature over something else is taken")
		}
	})
}
