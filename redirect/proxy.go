package redirect

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt has it.
const (
	proxyV1Start = "PROXY "
	proxyV2Start = "\r\n\r\n\x00\r\nQUIT\n"
	proxyV1Max   = 107     // with CR and LF
	proxyV2Max   = 2 << 10 // far above what any balancer adds
)

var errProxyHeader = errors.New("malformed PROXY protocol header")

// skipProxyHeader takes a PROXY protocol header off the front of r, which must
// buffer at least proxyV2Max octets. A connection that begins with none is left
// as it is: a balancer's own health checks send none. It gives the client's address
// where the header tells it.
func skipProxyHeader(r *bufio.Reader) (client net.IP, err error) {
	first, err := r.Peek(1)
	if err != nil {
		return nil, err
	}
	switch first[0] {
	case proxyV1Start[0]:
		return skipProxyV1(r)
	case proxyV2Start[0]:
		return skipProxyV2(r)
	}
	return nil, nil
}

func skipProxyV1(r *bufio.Reader) (client net.IP, err error) {
	start, err := r.Peek(len(proxyV1Start))
	if err != nil || string(start) != proxyV1Start {
		return nil, err
	}
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, errProxyHeader
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok || len(line) > proxyV1Max {
		return nil, errProxyHeader
	}
	if strings.HasPrefix(text, proxyV1Start+"UNKNOWN") {
		return nil, nil
	}
	return parseProxyV1(strings.Split(text, " "))
}

func parseProxyV1(f []string) (client net.IP, err error) {
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return nil, errProxyHeader
	}
	for _, s := range f[2:4] {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Is4() != (f[1] == "TCP4") {
			return nil, errProxyHeader
		}
	}
	for _, s := range f[4:] {
		if _, err := strconv.ParseUint(s, 10, 16); err != nil {
			return nil, errProxyHeader
		}
	}
	return net.ParseIP(f[2]), nil
}

func skipProxyV2(r *bufio.Reader) (client net.IP, err error) {
	h, err := r.Peek(16)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(h, []byte(proxyV2Start)) {
		return nil, nil // no header: what follows is judged as any request is
	}
	length := int(binary.BigEndian.Uint16(h[14:16]))
	version, command, family := h[12]>>4, h[12]&15, h[13]
	if version != 2 || command > 1 || length > proxyV2Max-16 || !validProxyFamily(command, family, length) {
		return nil, errProxyHeader
	}
	if h, err = r.Peek(16 + length); err != nil {
		return nil, errProxyHeader
	}
	switch {
	case command == 0:
	case family>>4 == 1:
		client = net.IP(bytes.Clone(h[16:20]))
	case family>>4 == 2:
		client = net.IP(bytes.Clone(h[16:32]))
	}
	_, err = r.Discard(16 + length) // which is buffered
	return client, err
}

// validProxyFamily checks that the addresses of a proxied connection are there.
func validProxyFamily(command, family byte, length int) bool {
	if command == 0 { // LOCAL: the balancer speaks for itself
		return true
	}
	switch family >> 4 {
	case 0: // unspecified
		return true
	case 1: // IPv4
		return length >= 12
	case 2: // IPv6
		return length >= 36
	case 3: // UNIX
		return length >= 216
	}
	return false
}

// unproxy reads the header off the front of a connection. Of the address in it
// only the lane is kept.
func (c *session) unproxy() error {
	r := bufio.NewReaderSize(c.Conn, proxyV2Max)
	client, err := skipProxyHeader(r)
	if err != nil {
		return err
	}
	rest, err := r.Peek(r.Buffered())
	if err != nil {
		return err
	}
	if client != nil {
		c.s.crowd.move(c, c.s.lanes.of(&net.TCPAddr{IP: client}))
	}
	clear := &prefixed{Conn: c.Conn, prefix: bytes.Clone(rest)}
	c.Conn, c.sock.first = clear, clear
	return nil
}

// prefixed is a connection of which the first bytes were read already.
type prefixed struct {
	net.Conn
	prefix []byte
}

func (c *prefixed) Read(p []byte) (int, error) {
	if len(c.prefix) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.prefix)
	c.prefix = c.prefix[n:]
	return n, nil
}

// CloseWrite lets the answer to a refused request arrive.
func (c *prefixed) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return io.ErrClosedPipe
}
