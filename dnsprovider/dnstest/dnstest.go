// Package dnstest starts real name servers for tests: Knot DNS, BIND and PowerDNS, on
// loopback, on ports of their own, with configurations in temporary folders. A
// service that the system runs is never touched.
package dnstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
)

// Require is the variable which, when set, makes a missing server binary fail
// a test that it would otherwise skip.
const Require = "DOMHERRE_REQUIRE_SERVERS"

// Secret is the TSIG key of every server here, in base64.
const Secret = "ZG9taGVycmUtdGVzdHMtb25seS1ubyBzZWNyZXQhISE="

// KeyName is the name of that key.
const KeyName = "domherre-test."

// IdleKeyName is the name of a key with the same secret that every server
// knows and allows nothing.
const IdleKeyName = "idle-test."

// NameServer is the target of the NS record in every zone.
const NameServer = "ns1.dnstest.example."

// Server is a running name server.
type Server struct {
	Addr    string // host:port of both UDP and TCP
	KeyName string
	KeyAlg  string
	Key     string // base64
	Dir     string // its configuration and zones
	API     string // URL of its HTTP API, where it has one
	Token   string // for the API

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	log  *buffer
}

// Settings gives the settings of a provider of type rfc2136 at this server.
func (s *Server) Settings() map[string]any {
	return map[string]any{"server": s.Addr, "key_name": s.KeyName, "key_alg": s.KeyAlg, "key": s.Key}
}

// Log gives what the server has written so far.
func (s *Server) Log() string { return s.log.String() }

// Stop ends the server before the test does, to see how its absence is borne.
func (s *Server) Stop() {
	if s.cmd.Process.Signal(syscall.SIGTERM) != nil {
		return // it has ended already
	}
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill() // ends by itself if this fails: then it's gone
		<-s.done
	}
}

// Content is the zone file that every zone starts with: a SOA and an NS.
func Content() string {
	return "$TTL 300\n@ SOA " + NameServer + " hostmaster.dnstest.example. 1 3600 600 86400 300\n@ NS " + NameServer + "\n"
}

// program is how one kind of server is started.
type program struct {
	binary string
	apt    string // package that has it
	config string // file name
	args   func(config string) []string
	write  func(dir string, port int, zones []string) (string, error)
}

func start(t testing.TB, p program, zones []string) *Server {
	t.Helper()
	path := find(t, p)
	var last error
	for range 5 { // a port found free may be taken by the time the server listens
		s, err := launch(t, p, path, zones)
		if err == nil {
			t.Cleanup(s.Stop)
			return s
		}
		last = err
	}
	t.Fatalf("%s did not start: %v", p.binary, last)
	return nil
}

func find(t testing.TB, p program) string {
	t.Helper()
	path, err := exec.LookPath(p.binary)
	if err != nil {
		// Debian keeps them where only root's PATH looks.
		path, err = exec.LookPath("/usr/sbin/" + p.binary)
	}
	if err == nil {
		return path
	}
	message := fmt.Sprintf("%s is not installed: apt-get install %s", p.binary, p.apt)
	if os.Getenv(Require) != "" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

func launch(t testing.TB, p program, path string, zones []string) (*Server, error) {
	t.Helper()
	dir := t.TempDir()
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	for _, zone := range zones {
		file := filepath.Join(dir, strings.TrimSuffix(zone, ".")+".zone")
		if err := os.WriteFile(file, []byte(Content()), 0o600); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(dir, p.config)
	text, err := p.write(dir, port, zones)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &Server{
		Addr: fmt.Sprintf("127.0.0.1:%d", port), KeyName: KeyName, KeyAlg: "hmac-sha256", Key: Secret, Dir: dir,
		cmd: exec.Command(path, p.args(config)...), done: make(chan struct{}), log: new(buffer),
	}
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.log, s.log
	s.cmd.SysProcAttr = dieWithParent()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in its log
		close(s.done)
	}()
	if err := s.ready(zones); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w\n%s", err, s.Log())
	}
	return s, nil
}

// ready waits until the server answers for its last zone.
func (s *Server) ready(zones []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	name, tick := ".", time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	if len(zones) > 0 {
		name = zones[len(zones)-1]
	}
	client := dnsclient.Client{Timeout: 200 * time.Millisecond, Tries: 1}
	for {
		answer, err := client.Exchange(ctx, s.Addr, dnsclient.Question(name, dns.TypeSOA, false))
		if err == nil && (len(zones) == 0 || answer.Authoritative) {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return errors.New("it does not answer")
		}
	}
}

// FreePort gives a port of 127.0.0.1 that is free for both UDP and TCP.
func FreePort() (int, error) {
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := tcp.Addr().(*net.TCPAddr).Port
		udp, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		_ = tcp.Close()
		if err == nil {
			_ = udp.Close()
			return port, nil
		}
	}
	return 0, errors.New("no port is free for both UDP and TCP")
}

// buffer is a bytes.Buffer that a process may write while a test reads.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
