package daemon

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quiet has a listening socket ignore who wants to connect from now on, while
// those who are connecting get through: what the kernel has queued when a
// socket closes is reset. Who is ignored asks again a second later, when either
// nobody listens or the next process does.
func quiet(l net.Listener) error {
	// A classic BPF program that sees a segment from its TCP header on. Byte 13
	// holds the flags (RFC 9293, section 3.1), of which 2 is SYN.
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 2, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},          // drop it
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff}, // take it whole
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return withSocket(l, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
	})
}

// queued counts those whom the kernel has let in and we have not accepted yet.
func queued(l net.Listener) (n int, err error) {
	err = withSocket(l, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n = int(info.Unacked) // of a listening socket, its queue
		}
		return err
	})
	return n, err
}

// withSocket calls f with the file descriptor of a listener that has one.
func withSocket(l net.Listener, f func(fd int) error) error {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
