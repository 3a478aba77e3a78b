package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// memory is one end of a connection without a socket. Its deadlines never come.
type memory struct {
	mu     sync.Mutex
	more   sync.Cond
	came   []byte // to be read
	closed bool
	deaf   bool // what comes is dropped
	other  *memory
}

func newMemory() (a, b *memory) {
	a, b = new(memory), new(memory)
	a.more.L, b.more.L = &a.mu, &b.mu
	a.other, b.other = b, a
	return a, b
}

func (m *memory) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.came) == 0 {
		if m.closed {
			return 0, io.EOF
		}
		m.more.Wait()
	}
	n := copy(p, m.came)
	if m.came = m.came[n:]; len(m.came) == 0 {
		m.came = nil
	}
	return n, nil
}

func (m *memory) Write(p []byte) (int, error) {
	o := m.other
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, io.ErrClosedPipe
	}
	if !o.deaf {
		o.came = append(o.came, p...)
		o.more.Broadcast()
	}
	return len(p), nil
}

// Close ends both directions.
func (m *memory) Close() error {
	for _, end := range []*memory{m, m.other} {
		end.mu.Lock()
		end.closed = true
		end.more.Broadcast()
		end.mu.Unlock()
	}
	return nil
}

// deafen forgets what came, and what will.
func (m *memory) deafen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf, m.came = true, nil
}

func (m *memory) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

func (m *memory) LocalAddr() net.Addr              { return memoryAddr{} }
func (m *memory) RemoteAddr() net.Addr             { return memoryAddr{} }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }

// memoryListener gives what is dialed.
type memoryListener chan net.Conn

func newMemoryListener() memoryListener { return make(memoryListener) }

func (l memoryListener) dial() *memory {
	client, server := newMemory()
	l <- server
	return client
}

func (l memoryListener) Accept() (net.Conn, error) { return <-l, nil }
func (l memoryListener) Close() error              { return nil }
func (l memoryListener) Addr() net.Addr            { return memoryAddr{} }
