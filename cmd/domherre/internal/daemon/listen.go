package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"domherre/config"
)

// sockets are what the daemon listens on.
type sockets struct {
	http, https, admin []net.Listener
	http3              []net.PacketConn // of systemd
	own                []net.Listener   // those that we opened; systemd keeps its own for the next process
}

// open opens the sockets that the config names, or takes those that systemd
// hands over: FileDescriptorName= http, https, http3 (UDP) and admin.
func open(ctx context.Context, l config.Listen) (*sockets, error) {
	packets := givenPackets("http3")
	given, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("taking systemd's sockets: %w", err)
	}
	s := &sockets{http3: packets}
	for _, want := range []struct {
		key, address string
		to           *[]net.Listener
	}{{"http", l.HTTP, &s.http}, {"https", l.HTTPS, &s.https}, {"admin", l.Admin, &s.admin}} {
		if *want.to = given[want.key]; len(*want.to) > 0 || want.address == "" {
			continue
		}
		ln, err := listen(ctx, want.key, want.address)
		if err != nil {
			s.close()
			return nil, err
		}
		*want.to = []net.Listener{ln}
		s.own = append(s.own, ln)
	}
	return s, nil
}

func listen(ctx context.Context, key, address string) (net.Listener, error) {
	c := net.ListenConfig{KeepAlive: -1} // limits of our own end what is idle, and each probe's setting is a system call more
	c.SetMultipathTCP(false)             // visits are too short to gain by it, and quiet can't filter it
	ln, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &listenError{key: key, address: address, err: err}
	}
	return ln, nil
}

// quietFor is how long who is connecting when we stop has to get through.
const quietFor = 250 * time.Millisecond

// quiet lets those who are connecting through, and nobody new.
func (s *sockets) quiet(ctx context.Context, log *slog.Logger) {
	if len(s.own) == 0 {
		return
	}
	for _, l := range s.own {
		if err := quiet(l); err != nil {
			log.Warn("visitors who connect just now may be cut", "error", err)
		}
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); time.Since(began) < quietFor || s.queued(); {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// queued reports whether anybody waits to be accepted.
func (s *sockets) queued() bool {
	for _, l := range s.own {
		if n, err := queued(l); err == nil && n > 0 {
			return true
		}
	}
	return false
}

func (s *sockets) close() {
	for _, group := range [][]net.Listener{s.http, s.https, s.admin} {
		for _, l := range group {
			l.Close()
		}
	}
}

// listenError is a socket that could not be opened, with the remedy.
type listenError struct {
	key, address string
	err          error
}

func (e *listenError) Error() string {
	reason := e.err
	if errno := syscall.Errno(0); errors.As(e.err, &errno) {
		reason = errno
	}
	return fmt.Sprintf("listen.%s: can't listen on %s: %s", e.key, e.address, reason)
}

func (e *listenError) Unwrap() error { return e.err }

// Hint says what to do about it.
func (e *listenError) Hint() string {
	switch {
	case errors.Is(e.err, syscall.EADDRINUSE):
		return fmt.Sprintf("another program listens there (ss -ltnp shows which): stop it, or set listen.%s to another address", e.key)
	case errors.Is(e.err, syscall.EACCES):
		return "ports below 1024 need the right to bind them: run under systemd with AmbientCapabilities=CAP_NET_BIND_SERVICE, or choose a higher port"
	case errors.Is(e.err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: ip address lists those that it has"
	}
	return "write it as ADDRESS:PORT, or :PORT for all addresses"
}
