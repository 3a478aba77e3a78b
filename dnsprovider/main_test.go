package dnsprovider

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestMain routes modules' requests as the program does, and lets none leave
// this machine.
func TestMain(m *testing.M) {
	base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			return nil, errors.New("no way to " + address)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	base.RegisterProtocol("https", outside{})
	http.DefaultTransport = base
	Route()
	os.Exit(m.Run())
}

// outside is the world, which nobody reaches past the limits.
type outside struct{}

func (outside) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path != "/1.0/auth/time" { // which OVH's library asks for once
		return nil, errors.New("no way to " + req.URL.Host)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("1700000000")), Header: http.Header{}, Request: req}, nil
}
