package main

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// balancer spreads connections, and questions by UDP, over the nodes in use. One
// that refuses a connection is passed over.
type balancer struct {
	t testing.TB

	mu   sync.Mutex
	next map[string]int // turns so far, by the address listened at
	used []*node
	took map[*node]int // connections so far
}

// use takes a node in, or leaves it out, as a balancer does by its health.
func (b *balancer) use(n *node, yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var used []*node
	for _, u := range b.used {
		if u != n {
			used = append(used, u)
		}
	}
	if b.used = used; yes {
		b.used = append(b.used, n)
	}
}

// turn gives the nodes in use, another one first each time.
func (b *balancer) turn(listen string) []*node {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next[listen]++
	var nodes []*node
	for i := range b.used {
		nodes = append(nodes, b.used[(b.next[listen]+i)%len(b.used)])
	}
	return nodes
}

// connections gives how many a node took.
func (b *balancer) connections(n *node) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.took[n]
}

// serve listens at the addresses of a world.
func (b *balancer) serve(w *world) {
	b.next, b.took = map[string]int{}, map[*node]int{}
	for _, side := range []struct {
		listen string
		at     func(*node) string
	}{
		{w.http, func(n *node) string { return n.http }},
		{w.https, func(n *node) string { return n.https }},
		{w.dns, func(n *node) string { return n.dns }},
	} {
		l, err := net.Listen("tcp", side.listen)
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go b.pass(c, side.listen, side.at)
			}
		}()
	}
	p, err := net.ListenPacket("udp", w.dns)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { p.Close() })
	go b.answerAll(p)
}

func (b *balancer) pass(c net.Conn, listen string, at func(*node) string) {
	defer c.Close()
	for _, n := range b.turn(listen) {
		server, err := net.Dial("tcp", at(n))
		if err != nil {
			continue
		}
		defer server.Close()
		b.mu.Lock()
		b.took[n]++
		b.mu.Unlock()
		go func() {
			_, _ = io.Copy(server, c) // either side may end
			server.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(c, server)
		return
	}
}

func (b *balancer) answerAll(p net.PacketConn) {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.ReadFrom(buf)
		if err != nil {
			return
		}
		go b.answer(p, from, append([]byte(nil), buf[:n]...))
	}
}

func (b *balancer) answer(p net.PacketConn, from net.Addr, question []byte) {
	for _, n := range b.turn("udp") {
		server, err := net.Dial("udp", n.dns)
		if err != nil {
			continue
		}
		server.SetDeadline(time.Now().Add(time.Second))
		buf := make([]byte, 65536)
		_, err = server.Write(question)
		var size int
		if err == nil {
			size, err = server.Read(buf)
		}
		server.Close()
		if err == nil {
			p.WriteTo(buf[:size], from)
			return
		}
	}
}
