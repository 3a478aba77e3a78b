package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"domherre/check"
	"domherre/cmd/domherre-lab/lab"
)

// patience bounds every wait of the tests here. It is long, since machines can
// be slow, and costs nothing where things work.
const patience = 60 * time.Second

// world is a lab with a portfolio in it, and the daemon where one is started.
type world struct {
	testing.TB
	*lab.Lab
	dir                     string
	http, https, admin, dns string // listen addresses of the daemon
	client                  *http.Client
}

// newWorld starts a lab that delegates every name to the daemon-to-be, and
// writes a config for it.
func newWorld(t testing.TB, domains string) *world {
	t.Helper()
	w := &world{TB: t, dir: t.TempDir(), http: freePort(t), https: freePort(t), admin: freePort(t), dns: freePort(t)}
	server := lab.Nameserver{Name: "ns1.domherre.example", Addr: netip.MustParseAddrPort(w.dns)}
	var err error
	w.Lab, err = lab.Start(t.Context(), lab.Options{
		Nameservers: []lab.Nameserver{server},
		ACME:        lab.ACMEOptions{HTTPPort: portOf(w.http), TLSPort: portOf(w.https)},
		Dir:         w.dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Lab.Close() })
	w.write("domherre.yaml", w.config())
	w.write("domains.txt", domains)
	w.client = w.newClient()
	return w
}

func (w *world) config() string {
	return fmt.Sprintf(`campaign: Du avgör!
frontend: https://www.duavgör.se/
domains: [domains.txt]
providers:
  embedded:
    type: embedded
    nameservers: [ns1.domherre.example=%s]
dns: {addresses: [127.0.0.1], ttl: 1m}
tls:
  issuers: [{acme: "%s", email: ops@domherre.example, roots: lab-ca.pem}]
check: {resolvers: ["%s"], rdap: off}
listen: {http: "%s", https: "%s", http3: false, admin: "%s", dns: "%s"}
`, w.dns, w.Addresses().Directory, w.Addresses().Resolver, w.http, w.https, w.admin, w.dns)
}

// freePort finds a port that nobody listens on, by TCP nor UDP. It looks below
// the ports that systems give to outgoing connections, so that the lab's own
// traffic doesn't take it before the daemon does.
func freePort(t testing.TB) string {
	t.Helper()
	var failed error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.N(20_000))
		l, err := net.Listen("tcp", address)
		if err == nil {
			l.Close()
			var p net.PacketConn
			if p, err = net.ListenPacket("udp", address); err == nil {
				p.Close()
				return address
			}
		}
		failed = err
	}
	t.Fatal(failed)
	return ""
}

func portOf(address string) int { return int(netip.MustParseAddrPort(address).Port()) }

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// write replaces a file the way most editors do: whole, by a rename.
func (w *world) write(name, text string) {
	w.Helper()
	temp := w.path("." + name + ".new")
	if err := os.WriteFile(temp, []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
	if err := os.Rename(temp, w.path(name)); err != nil {
		w.Fatal(err)
	}
}

// domherre runs a command to its end.
func (w *world) domherre(args ...string) (stdout, stderr string, code int) {
	w.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(w.Context(), "domherre", append(args, "-c", w.path("domherre.yaml"))...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		w.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// daemon is a running `domherre run`.
type daemon struct {
	cmd   *exec.Cmd
	log   string // file
	ended chan struct{}
}

// start starts the daemon and waits until it answers.
func (w *world) start() *daemon {
	w.Helper()
	d := w.launch()
	w.until("the daemon answers", func() error {
		select {
		case <-d.ended:
			w.Fatalf("the daemon ended:\n%s", d.output(w))
		default:
		}
		return w.get("http://"+w.admin+"/readyz", nil)
	})
	return d
}

// launch starts the daemon and doesn't wait.
func (w *world) launch() *daemon {
	w.Helper()
	return w.launchAs(exec.Command("domherre", "run", "-c", w.path("domherre.yaml")))
}

// launchAs starts the daemon by a command, and ends it with the test.
func (w *world) launchAs(cmd *exec.Cmd) *daemon {
	w.Helper()
	d := &daemon{cmd: cmd, log: filepath.Join(w.TempDir(), "daemon.log"), ended: make(chan struct{})}
	log, err := os.Create(d.log)
	if err != nil {
		w.Fatal(err)
	}
	defer log.Close()
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go func() { d.cmd.Wait(); close(d.ended) }()
	w.Cleanup(func() {
		d.cmd.Process.Kill()
		<-d.ended
		if w.Failed() {
			w.Logf("the log of a daemon:\n%s", d.output(w))
		}
	})
	return d
}

func (d *daemon) output(t testing.TB) string {
	text, err := os.ReadFile(d.log)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// stop ends the daemon the kind way and gives its exit code.
func (d *daemon) stop(t testing.TB) int {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.ended:
	case <-time.After(patience):
		t.Fatal("the daemon doesn't stop")
	}
	return d.cmd.ProcessState.ExitCode()
}

// until waits until ok gives nil.
func (w *world) until(what string, ok func() error) {
	w.Helper()
	w.wait(what, 20*time.Millisecond, ok)
}

func (w *world) wait(what string, every time.Duration, ok func() error) {
	w.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			w.Fatalf("waiting until %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// get asks the admin listener, and reads JSON where into isn't nil.
func (w *world) get(url string, into any) error {
	resp, err := w.client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// live reports why not all of the domains are live.
func (w *world) live(ascii ...string) func() error {
	return func() error {
		var r check.Report
		if err := w.get("http://"+w.admin+"/api/v1/status", &r); err != nil {
			return err
		}
		states := map[string]check.DomainStatus{}
		for _, d := range r.Domains {
			states[d.ASCII] = d
		}
		for _, name := range ascii {
			if d := states[name]; !d.Live {
				return fmt.Errorf("%s is not live: %+v", name, d.Worst())
			}
		}
		return nil
	}
}

// newClient makes a visitor who finds every name at the daemon's listeners,
// trusts the lab's roots, and follows nothing.
func (w *world) newClient() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.RootsPEM())
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		switch _, port, _ := net.SplitHostPort(address); port {
		case "80":
			address = w.http
		case "443":
			address = w.https
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// visit gives the status and the Location that a visitor of url meets.
func (w *world) visit(url string) (status int, location string, err error) {
	resp, err := w.client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location"), nil
}

// leads checks that url leads on to want.
func (w *world) leads(url, want string) {
	w.Helper()
	status, location, err := w.visit(url)
	if err != nil || status != http.StatusFound || location != want {
		w.Errorf("%s: %d to %q (%v), want 302 to %q", url, status, location, err, want)
	}
}

func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }
