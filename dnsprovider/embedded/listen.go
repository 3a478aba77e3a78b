package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Listen opens the sockets for Serve: UDP and TCP on one address and port. For
// port 0 it finds one that is free for both.
func Listen(ctx context.Context, address string) (net.PacketConn, net.Listener, error) {
	const tries = 10
	var config net.ListenConfig
	for n := 1; ; n++ {
		tcp, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, nil, fmt.Errorf("listening for DNS: %w", err)
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, nil, errors.Join(err, tcp.Close())
		}
		if port == "0" {
			port = strconv.Itoa(tcp.Addr().(*net.TCPAddr).Port)
		}
		udp, err := config.ListenPacket(ctx, "udp", net.JoinHostPort(host, port))
		if err == nil {
			return udp, tcp, nil
		}
		err = errors.Join(fmt.Errorf("listening for DNS: %w", err), tcp.Close())
		if n == tries || net.JoinHostPort(host, port) == address {
			return nil, nil, err
		}
	}
}
