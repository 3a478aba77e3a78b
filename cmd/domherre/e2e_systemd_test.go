package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// manager stands in for systemd: it holds the sockets and listens to what the
// daemon tells.
type manager struct {
	*world
	sockets []*os.File // http, https, admin, http3
	notify  *net.UnixConn
	mu      sync.Mutex
	told    []string
}

func newManager(w *world) *manager {
	w.Helper()
	m := &manager{world: w}
	for _, address := range []string{w.http, w.https, w.admin} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { l.Close() })
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { f.Close() })
		m.sockets = append(m.sockets, f)
	}
	m.hold(w.https)
	folder, err := os.MkdirTemp("", "notify") // a path of a socket is short
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { os.RemoveAll(folder) })
	if m.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "s"), Net: "unixgram"}); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { m.notify.Close() })
	go m.listen()
	return m
}

// hold holds a UDP socket, too.
func (m *manager) hold(address string) {
	m.Helper()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		m.Fatal(err)
	}
	defer c.Close()
	f, err := c.(*net.UDPConn).File()
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { f.Close() })
	m.sockets = append(m.sockets, f)
}

func (m *manager) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := m.notify.Read(buf)
		if err != nil {
			return
		}
		m.mu.Lock()
		m.told = append(m.told, string(buf[:n]))
		m.mu.Unlock()
	}
}

// heard reports that the daemon hasn't told something n times yet.
func (m *manager) heard(what string, n int) func() error {
	return func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, text := range m.told {
			if strings.HasPrefix(text, what) {
				n--
			}
		}
		if n > 0 {
			return errors.New(strings.Join(m.told, "; "))
		}
		return nil
	}
}

// start starts the daemon the way that systemd does: LISTEN_PID is its own.
func (m *manager) start() *daemon {
	m.Helper()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec domherre run -c "$1"`, "sh", m.path("domherre.yaml"))
	cmd.ExtraFiles = m.sockets
	cmd.Env = append(os.Environ(), "LISTEN_FDS=4", "LISTEN_FDNAMES=http:https:admin:http3",
		"NOTIFY_SOCKET="+m.notify.LocalAddr().String(), "WATCHDOG_USEC=100000")
	return m.launchAs(cmd)
}

// What systemd is told, and that a restart with its sockets loses nobody: not
// even who connects while no daemon runs.
func TestSystemd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	w.write("domherre.yaml", w.withHTTP3())
	m := newManager(w)
	d := m.start()
	w.until("the daemon is ready", m.heard("READY=1", 1))
	w.until("the domain is live", w.live("kopasex.se"))
	w.until("the watchdog is told", m.heard("WATCHDOG=1", 3))
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	w.until("a reload is told", m.heard("RELOADING=1\nMONOTONIC_USEC=", 1))
	w.until("the end of the reload is told", m.heard("READY=1", 2))

	plain, secure := w.visitors(3, true, "http://www.kopasex.se/"), w.visitors(5, true, "https://www.kopasex.se/")
	browsers := w.visitorsBy(w.newBrowser, 3, true, "https://www.kopasex.se/")
	w.until("visitors come", secure.more(200))
	w.until("browsers come by HTTP/3", browsers.more(50))
	if code := d.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	w.until("the stop is told", m.heard("STOPPING=1", 1))
	m.start()
	w.until("the next one is ready", m.heard("READY=1", 3))
	w.until("visitors come to it", secure.more(200))
	w.until("browsers do", browsers.more(50))
	if resp, err := w.newClient3().Get("https://www.kopasex.se/"); err != nil || resp.StatusCode != 302 {
		t.Errorf("by HTTP/3: %v", err)
	}
	for _, v := range []*visitors{plain, secure, browsers} {
		if lost := v.end(); len(lost) > 0 {
			t.Errorf("lost %d of %d: %v", len(lost), v.met.Load(), lost[:min(3, len(lost))])
		}
	}
}
