package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// relay stands before a server, by TCP and UDP, and can be cut: to the client
// it is as if the server went down and came back.
type relay struct {
	t        testing.TB
	address  string // where it listens
	upstream string

	mu     sync.Mutex
	tcp    net.Listener
	udp    net.PacketConn
	conns  map[net.Conn]bool
	silent bool // takes connections, and answers nothing

	requests atomic.Int64 // connections and datagrams
}

func newRelay(t testing.TB, upstream string) *relay {
	t.Helper()
	r := &relay{t: t, upstream: upstream, address: freePort(t), conns: map[net.Conn]bool{}}
	r.up()
	t.Cleanup(r.down)
	return r
}

// up lets everything through.
func (r *relay) up() {
	r.t.Helper()
	tcp, err := net.Listen("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tcp, r.udp = tcp, udp
	go r.acceptAll(tcp)
	go r.answerAll(udp)
}

// hang keeps connections open and answers nothing from now on.
func (r *relay) hang(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = yes
}

// down refuses connections and cuts those that are open.
func (r *relay) down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tcp == nil {
		return
	}
	r.tcp.Close()
	r.udp.Close()
	r.tcp, r.udp = nil, nil
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

func (r *relay) acceptAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		r.requests.Add(1)
		r.mu.Lock()
		r.conns[c] = true
		silent := r.silent
		r.mu.Unlock()
		if !silent {
			go r.pass(c)
		}
	}
}

func (r *relay) pass(c net.Conn) {
	defer c.Close()
	server, err := net.Dial("tcp", r.upstream)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, c)
		server.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(c, server)
}

func (r *relay) answerAll(p net.PacketConn) {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.ReadFrom(buf)
		if err != nil {
			return
		}
		r.requests.Add(1)
		r.mu.Lock()
		silent := r.silent
		r.mu.Unlock()
		if !silent {
			go r.answer(p, from, append([]byte(nil), buf[:n]...))
		}
	}
}

func (r *relay) answer(p net.PacketConn, from net.Addr, question []byte) {
	server, err := net.DialTimeout("udp", r.upstream, 2*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	server.SetDeadline(time.Now().Add(2 * time.Second))
	server.Write(question)
	answer := make([]byte, 65536)
	if n, err := server.Read(answer); err == nil {
		p.WriteTo(answer[:n], from)
	}
}
