package dnsclient

import (
	"errors"
	"net"
	"testing"
	"time"
)

// A socket that has failed is closed by the last who used it, not a while
// later: zones whose server is away would use up the files of the process.
func TestSocketFailed(t *testing.T) {
	t.Parallel()
	const server = "127.0.0.1:1"
	var s Sockets
	var k *socket
	for range 2 {
		var err error
		if k, err = s.join(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	s.broken(server, k, errors.New("refused"))
	s.leave(k)
	if err := k.conn.SetDeadline(time.Time{}); err != nil {
		t.Errorf("somebody uses it: %v", err)
	}
	s.leave(k)
	if err := k.conn.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("nobody uses it, and it is open: %v", err)
	}
}
