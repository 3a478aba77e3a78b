package redirect

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// proxyV2 makes a version 2 header.
func proxyV2(command, family byte, body []byte) string {
	h := append([]byte(proxyV2Start), 0x20|command, family)
	h = binary.BigEndian.AppendUint16(h, uint16(len(body)))
	return string(append(h, body...))
}

func TestSkipProxyHeader(t *testing.T) {
	t.Parallel()
	const request = "GET / HTTP/1.1\r\n"
	for header, ok := range map[string]bool{
		"":                                       true,
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n": true,
		"PROXY TCP6 2001:db8::1 2001:db8::2 65535 443\r\n": true,
		"PROXY UNKNOWN\r\n":                                             true,
		"PROXY UNKNOWN ffff:f... 65535\r\n":                             true,
		proxyV2(1, 0x11, make([]byte, 12)):                              true,
		proxyV2(1, 0x21, make([]byte, 36+20)):                           true, // with TLVs
		proxyV2(1, 0x31, make([]byte, 216)):                             true,
		proxyV2(0, 0x00, nil):                                           true, // LOCAL
		proxyV2(1, 0x00, nil):                                           true,
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n":                          false,
		"PROXY TCP4 192.0.2.1 2001:db8::2 1 2\r\n":                      false,
		"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n":                        false,
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n":                    false,
		"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n":                          false,
		"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n":                        false,
		"PROXY UNKNOWN " + strings.Repeat("x", proxyV1Max) + "\r\n":     false,
		"PROXY " + strings.Repeat("x", 2*proxyV2Max):                    false,
		proxyV2(1, 0x11, make([]byte, 11)):                              false,
		proxyV2(1, 0x21, make([]byte, 35)):                              false,
		proxyV2(1, 0x41, make([]byte, 300)):                             false,
		proxyV2(2, 0x11, make([]byte, 12)):                              false,
		proxyV2Start + "\x11\x11\x00\x0c" + strings.Repeat("x", 12):     false, // version 1 in binary
		proxyV2Start + "\x21\x11\xff\xff" + strings.Repeat("x", 0xffff): false,
	} {
		r := bufio.NewReaderSize(strings.NewReader(header+request), proxyV2Max)
		_, err := skipProxyHeader(r)
		if (err == nil) != ok {
			t.Errorf("%.60q: %v", header, err)
			continue
		}
		if rest, _ := io.ReadAll(r); ok && string(rest) != request {
			t.Errorf("%.60q: left %q", header, rest)
		}
	}
}

// TestProxyClient: the header's client tells the lane, and nothing else does.
func TestProxyClient(t *testing.T) {
	t.Parallel()
	four := append([]byte{192, 0, 2, 1}, make([]byte, 8)...)
	for header, want := range map[string]net.IP{
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n":     net.IPv4(192, 0, 2, 1),
		"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n": net.ParseIP("2001:db8::1"),
		proxyV2(1, 0x11, four):                       net.IPv4(192, 0, 2, 1),
		proxyV2(1, 0x21, make([]byte, 36)):           net.IPv6zero,
		"PROXY UNKNOWN\r\n":                          nil,
		proxyV2(0, 0x11, four):                       nil, // the balancer itself
		"GET /":                                      nil,
	} {
		got, err := skipProxyHeader(bufio.NewReaderSize(strings.NewReader(header), proxyV2Max))
		if err != nil || !got.Equal(want) {
			t.Errorf("%.30q: got %v, %v", header, got, err)
		}
	}
}

func FuzzSkipProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET"))
	f.Add([]byte(proxyV2(1, 0x11, make([]byte, 12)) + "GET"))
	f.Add([]byte("POST / HTTP/1.1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(b), proxyV2Max)
		if _, err := skipProxyHeader(r); err != nil {
			return
		}
		rest, err := io.ReadAll(r)
		if err != nil || !bytes.HasSuffix(b, rest) {
			t.Fatalf("%q left %q, %v", b, rest, err)
		}
		if len(rest) < len(b) && !bytes.HasPrefix(b, []byte(proxyV1Start)) && !bytes.HasPrefix(b, []byte(proxyV2Start)) {
			t.Fatalf("%q was cut without a header", b)
		}
	})
}

func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	const v1 = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
	const request = "GET / HTTP/1.1\r\nHost: kopasex.se\r\nConnection: close\r\n\r\n"
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	listed := start(t, mustTable(t, testSites()...), Options{ProxyFrom: loopback, TLS: certs(testCert(t, "kopasex.se"))})
	other := start(t, mustTable(t, testSites()...), Options{ProxyFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	for header, want := range map[string]int{v1: 302, proxyV2(1, 0x11, make([]byte, 12)): 302, "": 302, "PROXY TCP9\r\n": 0} {
		got := raw(t, listed.plain, header+request)
		if want == 0 && got != "" || want > 0 && answers(t, got, "GET")[0].StatusCode != want {
			t.Errorf("%.20q from a balancer: got %q", header, got)
		}
	}
	// From elsewhere it is no header but a bad request.
	if got := raw(t, other.plain, v1+request); answers(t, got, "GET")[0].StatusCode != 400 {
		t.Errorf("from a stranger: got %q", got)
	}
	if got := raw(t, listed.plain, v1+v1+request); answers(t, got, "GET")[0].StatusCode != 400 {
		t.Errorf("a second header: got %q", got)
	}
	const post = "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 3\r\n\r\nabc" // net/http's
	if got := raw(t, listed.plain, v1+"GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n"+post); len(answers(t, got, "GET", "POST")) != 2 {
		t.Errorf("two requests behind a header: got %q", got)
	}
	for _, header := range []string{v1, proxyV2(1, 0x21, make([]byte, 36))} {
		c := dialTLS(t, listed.secure, header, "kopasex.se")
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if err != nil || answers(t, string(got), "GET")[0].StatusCode != 302 {
			t.Errorf("%.20q before TLS: %v, %q", header, err, got)
		}
	}
}
