//go:build !linux

package daemon

import "net"

// quiet does nothing where the system has no such filter.
func quiet(net.Listener) error { return nil }

// queued can't be told where the system doesn't say.
func queued(net.Listener) (int, error) { return 0, nil }
