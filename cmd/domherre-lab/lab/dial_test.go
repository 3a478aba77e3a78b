package lab

import (
	"context"
	"net"
)

// toLoopback dials loopback whatever the name.
type toLoopback struct{ port string }

func (d *toLoopback) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", d.port))
}
