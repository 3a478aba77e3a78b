package daemon

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// givenPackets are the UDP sockets that systemd hands over under a name
// (sd_listen_fds(3)). It must be asked before activation takes the others, and
// leaves it the descriptors: whoever wraps one closes it.
func givenPackets(name string) []net.PacketConn {
	const first = 3
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil
	}
	var conns []net.PacketConn
	for i, given := range strings.Split(os.Getenv("LISTEN_FDNAMES"), ":") {
		if given != name {
			continue
		}
		fd, err := syscall.Dup(first + i)
		if err != nil {
			continue
		}
		f := os.NewFile(uintptr(fd), name)
		if c, err := net.FilePacketConn(f); err == nil {
			conns = append(conns, c)
		}
		f.Close()
	}
	return conns
}

// packetsBeside opens UDP at the addresses of listeners. What can't be opened
// is told and left out: visitors come by the other protocols too.
func (d *daemon) packetsBeside(ctx context.Context, listeners []net.Listener) []net.PacketConn {
	var conns []net.PacketConn
	for _, l := range listeners {
		c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", l.Addr().String())
		if err != nil {
			d.log.Warn("HTTP/3 is not served", "address", l.Addr().String(), "error", (&listenError{key: "http3", address: l.Addr().String(), err: err}).Error())
			continue
		}
		conns = append(conns, c)
	}
	return conns
}

// serveHTTP3 serves what the sockets are for. An error of it is no reason to
// end: the other protocols go on.
func (d *daemon) serveHTTP3(ctx context.Context, g *errgroup.Group, s *sockets) {
	if !d.current.Load().cfg.Listen.HTTP3 || len(s.https) == 0 {
		return
	}
	conns := s.http3
	if len(conns) == 0 {
		conns = d.packetsBeside(ctx, s.https)
	}
	for _, c := range conns {
		g.Go(func() error {
			if err := d.redirect.ServeHTTP3(c); err != nil {
				d.log.Error("HTTP/3 is not served", "error", err)
			}
			return nil
		})
	}
}
