package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// start runs a command line until the test ends, and gives the first line of
// its output. Every port is a free one.
func start(t *testing.T, env map[string]string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	cmd := newCommand(func(name string) string { return env[name] })
	cmd.SetArgs(args)
	cmd.SetOut(in)
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.ExecuteContext(ctx)
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%q: %v", args, err)
		}
	})
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatalf("%q printed nothing: %v", args, err)
	}
	go io.Copy(io.Discard, out)
	return string(buf[:n])
}

func TestPartsAlone(t *testing.T) {
	t.Parallel()
	const free = "127.0.0.1:0"
	dir := t.TempDir()
	root := field(t, start(t, nil, "dns", "--json", "--dns", free), "dns")
	resolver := field(t, start(t, nil, "resolver", "--json", "--resolver", free, "--root", root), "resolver")
	query := new(dns.Msg).SetQuestion("ns1.domherre.example.", dns.TypeA)
	msg, err := dns.ExchangeContext(t.Context(), query, resolver)
	if err != nil || len(msg.Answer) != 1 {
		t.Errorf("the resolver over the root gave %v, %v", msg, err)
	}
	acme := start(t, nil, "acme", "--json", "--acme", free, "--acme-management", free, "--ask-resolver", resolver, "--dir", dir)
	if !strings.HasSuffix(field(t, acme, "acme"), "/dir") {
		t.Errorf("no directory in %s", acme)
	}
	if pem, err := os.ReadFile(filepath.Join(dir, "lab-ca.pem")); err != nil || !bytes.Contains(pem, []byte("BEGIN CERTIFICATE")) {
		t.Errorf("roots: %q, %v", pem, err)
	}
	if rdap := start(t, nil, "rdap", "--json", "--rdap", free); !strings.HasSuffix(field(t, rdap, "se"), "/se/") {
		t.Errorf("no base in %s", rdap)
	}
	page := start(t, nil, "frontend", "--frontend", free, "--frontend-http", free)
	if !strings.Contains(page, "https://www.xn--duavgr-0xa.se:") {
		t.Errorf("the frontend printed %q", page)
	}
}

func field(t *testing.T, output, name string) string {
	t.Helper()
	var doc map[string]string
	if err := json.Unmarshal([]byte(output), &doc); err != nil {
		t.Fatalf("%s: %v", output, err)
	}
	return doc[name]
}

// TestAllByEnvironment starts everything with ports from variables.
func TestAllByEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{}
	for _, flag := range []string{"DNS", "RESOLVER", "ACME", "ACME_MANAGEMENT", "RDAP", "FRONTEND", "FRONTEND_HTTP"} {
		env["DOMHERRE_LAB_"+flag] = "127.0.0.1:0"
	}
	dir := t.TempDir()
	output := start(t, env, "all", "--json", "--dir", dir)
	written, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil || output != string(written) {
		t.Errorf("printed %s, wrote %s, %v", output, written, err)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		args []string
		env  map[string]string
		want string
	}{
		{[]string{"dns", "--dns", taken.Addr().String()}, nil, "address already in use"},
		{[]string{"dns", "--nameserver", "ns1.example"}, nil, "NAME=ADDRESS:PORT"},
		{[]string{"all", "--eab", "secret-without-id"}, nil, "write ID=MAC"},
		{[]string{"all", "--profile", "short"}, nil, "NAME=LIFETIME"},
		{[]string{"resolver", "--root", "localhost"}, nil, "--root"},
		{[]string{"acme", "--ask-resolver", "localhost"}, nil, "--ask-resolver"},
		{[]string{"acme"}, map[string]string{"DOMHERRE_LAB_HTTP_PORT": "http"}, "DOMHERRE_LAB_HTTP_PORT"},
		{[]string{"rdap", "more"}, nil, "unknown command"},
		{[]string{"frontend", "--dir", "/dev/null/x", "--frontend", "127.0.0.1:0", "--frontend-http", "127.0.0.1:0"}, nil, "--dir"},
	}
	for _, tt := range tests {
		cmd := newCommand(func(name string) string { return tt.env[name] })
		cmd.SetArgs(tt.args)
		cmd.SetOut(io.Discard)
		err := cmd.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q tells the secret: %v", tt.args, err)
		}
	}
}
