package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/net/http2"

	"domherre/redirect"
)

// A process may have too few files for 50,000 connections, so here they come
// through memory, and only honest visitors by TCP. What reads from memory holds
// its buffer while it waits, which a socket doesn't: this is the dearer case.

// held is what so many clients do, and stay.
type held struct {
	name   string
	many   int
	arrive func(c *memory, host string) error
}

var holds = []held{
	{"held: plain", 50000, func(*memory, string) error { return nil }},
	{"held: TLS", 50000, func(c *memory, host string) error { _, err := c.shake(host, "http/1.1"); return err }},
	{"held: HTTP/2, half a body each", 20000, halfBody},
}

// shake does a TLS handshake.
func (m *memory) shake(host, protocol string) (*tls.Conn, error) {
	tc := tls.Client(m, visitor(host, protocol))
	return tc, tc.Handshake()
}

// halfBody has requests outstanding, and a piece of a frame.
func halfBody(c *memory, host string) error {
	tc, err := c.shake(host, "h2")
	if err != nil {
		return err
	}
	f := http2.NewFramer(tc, nil)
	_, err = io.WriteString(tc, http2.ClientPreface)
	err = errors.Join(err, f.WriteSettings())
	for stream := uint32(1); stream < 10; stream += 2 {
		err = errors.Join(err, f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: getBlock(), EndHeaders: true}))
	}
	_, more := tc.Write(append([]byte{0, 0x3f, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 0x3eff)...)) // of a DATA frame
	return errors.Join(err, more)
}

// hold is a server with such clients inside: NAME PLAIN SECURE CERTS HOSTS. It
// says "ready" when all have come.
func hold(args []string) {
	var h held
	for _, h = range holds {
		if h.name == args[0] {
			break
		}
	}
	table, cfg := serves(args[3:])
	s := redirect.NewServer(table, redirect.Options{TLS: cfg, MaxConnections: 1 << 16})
	go func() { log.Fatal(s.ServeHTTPS(listen(args[2]))) }()
	l := newMemoryListener()
	if h.name == holds[0].name {
		go func() { log.Fatal(s.ServeHTTP(l)) }()
	} else {
		go func() { log.Fatal(s.ServeHTTPS(l)) }()
	}
	all := make([]*memory, h.many)
	for i := range all {
		all[i] = l.dial()
		err := h.arrive(all[i], "host-0.example")
		if err != nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.EOF) { // turned away
			log.Fatal(err)
		}
		all[i].deafen()
	}
	open := 0
	for _, c := range all {
		if !c.isClosed() {
			open++
		}
	}
	fmt.Println("ready", open)
	time.Sleep(time.Hour) // until it is killed
}

// holdAll measures servers with connections that stay.
func (s *site) holdAll(only string) error {
	for _, h := range holds {
		if only != "" && h.name != only {
			continue
		}
		if err := s.besieged(h); err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return nil
}

func (s *site) besieged(h held) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p := &process{site: s, cmd: exec.Command(self, "hold", h.name, s.plain, s.secure, s.certs(), fmt.Sprint(len(s.hosts)))}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	defer p.stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	used := p.resident()
	v := honest(h.name, s.answers)
	fmt.Printf("| %s | %d, %s stay | %.1f ms | %.1f ms | %.0f | %d of %d failed |\n", h.name, h.many,
		strings.TrimSpace(strings.TrimPrefix(line, "ready")), ms(v.took[len(v.took)/2]), ms(v.took[len(v.took)*99/100]), max(used, p.resident()), v.failed, len(v.took))
	return nil
}
