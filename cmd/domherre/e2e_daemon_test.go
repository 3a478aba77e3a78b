package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"domherre/check"
)

// logged reports that the daemon's log doesn't hold a text n times yet.
func (w *world) logged(d *daemon, text string, n int) func() error {
	return func() error {
		if got := strings.Count(d.output(w), text); got < n {
			return fmt.Errorf("the log has %q %d times", text, got)
		}
		return nil
	}
}

// state reports that a domain isn't in a state.
func (w *world) state(ascii, want string) func() error {
	return func() error {
		r, err := w.report()
		if err != nil {
			return err
		}
		for _, d := range r.Domains {
			if d.ASCII == ascii {
				if d.State != want {
					return fmt.Errorf("%s is %s: %+v", ascii, d.State, d.Worst())
				}
				return nil
			}
		}
		return fmt.Errorf("%s isn't there", ascii)
	}
}

// Our own CA: everything works but browsers' trust, and plain HTTP never leads
// to a certificate that they would refuse.
func TestInternalCA(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	config := w.config()
	i := strings.Index(config, "  issuers:")
	j := strings.Index(config[i:], "\n") + i
	w.write("domherre.yaml", config[:i]+"  issuers: [{internal: {}}]"+config[j:])
	w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	w.leads("http://kopasex.se/", frontend)
	conn, err := tls.Dial("tcp", w.https, &tls.Config{ServerName: "www.kopasex.se", InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.ConnectionState().PeerCertificates[0].VerifyHostname("www.kopasex.se"); err != nil {
		t.Error(err)
	}
}

// serial gives the serial number of the certificate that an address shows.
func serial(t testing.TB, address, host string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err != nil {
		return ""
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// Two daemons on one state: one of them orders, both serve.
func TestTwoDaemons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se", "kopa-tid.test"))
	second := *w
	second.http, second.https, second.admin, second.dns = freePort(t), freePort(t), freePort(t), freePort(t)
	config := second.config()
	w.write("second.yaml", strings.Replace(config, "=127.0.0.1:"+fmt.Sprint(portOf(second.dns)), "="+w.dns, 1))
	w.start()
	d := w.launchAs(exec.Command("domherre", "run", "-c", w.path("second.yaml")))
	second.client = second.newClient()
	w.until("both are live at the first", w.live("kopasex.se", "kopa-tid.test"))
	w.until("both are live at the second", second.live("kopasex.se", "kopa-tid.test"))
	for _, host := range []string{"www.kopasex.se", "kopa-tid.test"} {
		if one, other := serial(t, w.https, host), serial(t, second.https, host); one != other || one == "" {
			t.Errorf("%s: certificates %q and %q", host, one, other)
		}
	}
	if n := w.issued("kopasex.se"); n != 1 {
		t.Errorf("%d certificates were ordered", n)
	}
	second.leads("https://kopasex.se/", frontend)
	if code := d.stop(t); code != 0 {
		t.Errorf("SIGTERM: exit %d\n%s", code, d.output(t))
	}
	w.leads("https://kopasex.se/", frontend)
}

// issued counts the generations of a domain's certificate in the state.
func (w *world) issued(ascii string) int {
	w.Helper()
	folders := map[string]bool{}
	err := filepath.WalkDir(w.path("state"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".pem") && strings.Contains(path, ascii) {
			folders[path] = true
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return len(folders)
}

// SIGHUP reloads, whether or not a file has changed; so does a change of the
// file, and nothing is lost while configs come and go.
func TestHangup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	for n := 1; n <= 2; n++ {
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		w.until("the config is reloaded", w.logged(d, "config reloaded", n))
		w.leads("https://kopasex.se/", frontend)
	}
}

// visitors keep asking until stop; what they count as lost is every request
// that reached the daemon and got no redirect.
type visitors struct {
	strict bool // that nobody listens counts too
	stop   chan struct{}
	wait   sync.WaitGroup
	met    atomic.Int64
	mu     sync.Mutex
	lost   []error
}

func (w *world) visitors(n int, strict bool, url string) *visitors {
	v := &visitors{strict: strict, stop: make(chan struct{})}
	for range n {
		client := w.newClient()
		client.Transport.(*http.Transport).DisableKeepAlives = false
		v.wait.Go(func() {
			defer client.CloseIdleConnections()
			for {
				select {
				case <-v.stop:
					return
				default:
				}
				v.ask(client, url)
			}
		})
	}
	return v
}

func (v *visitors) ask(client *http.Client, url string) {
	resp, err := client.Get(url)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			err = errors.New(resp.Status)
		}
	}
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "dial" && !v.strict {
		return // nobody listens any more: a balancer asks elsewhere
	}
	if err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.lost = append(v.lost, err)
		return
	}
	v.met.Add(1)
}

// more reports that n more visits haven't been made yet.
func (v *visitors) more(n int64) func() error {
	before := v.met.Load()
	return func() error {
		if met := v.met.Load() - before; met < n {
			return fmt.Errorf("%d so far", met)
		}
		return nil
	}
}

// end stops the visitors and gives what was lost.
func (v *visitors) end() []error {
	close(v.stop)
	v.wait.Wait()
	return v.lost
}

// A daemon that is told to stop under load loses no request.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	v := w.visitors(8, false, "https://www.kopasex.se/")
	w.until("visitors come", v.more(200))
	code := d.stop(t)
	if lost := v.end(); code != 0 || len(lost) > 0 {
		t.Errorf("exit %d, lost %d of %d: %v", code, len(lost), v.met.Load(), lost[:min(3, len(lost))])
	}
}

// A reload under load loses no request either, nor does one that is refused.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	v := w.visitors(4, false, "https://www.kopasex.se/")
	w.write("domains.txt", lines("kopasex.se", "kopa-tid.test"))
	w.until("the config is reloaded", w.logged(d, "config reloaded", 1))
	w.write("domains.txt", lines("https://kopasex.se/"))
	w.until("the fault is told", w.notice("config"))
	if err := w.is("domherre_config_valid", 0)(); err != nil {
		t.Error(err)
	}
	w.write("domains.txt", lines("kopasex.se"))
	w.until("the config is good again", w.is("domherre_config_valid", 1))
	if lost := v.end(); len(lost) > 0 {
		t.Errorf("lost %d of %d: %v", len(lost), v.met.Load(), lost[0])
	}
}

// A list that lost most of its domains waits for a person, and says so
// everywhere; what left it keeps leading on until it is pruned.
func TestGuard(t *testing.T) {
	t.Parallel()
	all := []string{"kopasex.se", "a.example", "b.example", "c.example"}
	w := newWorld(t, lines(all...))
	w.write("domherre.yaml", w.config()+"reconcile: {every: 1s}\n")
	w.start()
	w.until("all are live", w.live(all...))
	w.write("domains.txt", lines("kopasex.se"))
	w.until("the guard is told", w.notice("guard"))
	w.until("the guard is measured", w.is("domherre_guard_refused", 1))
	var plan struct{ Summary struct{ Refused string } }
	if err := w.get("http://"+w.admin+"/api/v1/plan", &plan); err != nil || !strings.Contains(plan.Summary.Refused, "lost 3 of its 4 domains") {
		t.Errorf("the plan: %v %+v", err, plan)
	}
	if out, _, code := w.domherre("status"); code != 0 || !strings.Contains(out, "apply --force") {
		t.Errorf("status: exit %d\n%s", code, out)
	}
	w.leads("https://www.b.example/", frontend)
	if out, errs, code := w.domherre("apply", "--yes"); code != 4 {
		t.Errorf("apply: exit %d\n%s%s", code, out, errs)
	}
	if out, errs, code := w.domherre("apply", "--yes", "--force"); code != 0 {
		t.Errorf("apply --force: exit %d\n%s%s", code, out, errs)
	}
	w.until("the guard has nothing against it", w.is("domherre_guard_refused", 0))
	w.leads("https://www.b.example/", frontend)
	if err := errors.Join(w.notice("leaving")(), w.live("b.example")()); err != nil {
		t.Errorf("domains that left the list: %v", err)
	}
	if out, errs, code := w.domherre("apply", "--yes", "--force", "--prune"); code != 0 {
		t.Fatalf("apply --prune: exit %d\n%s%s", code, out, errs)
	}
	w.until("what was pruned isn't served any more", func() error {
		if _, _, err := w.visit("https://www.b.example/"); err == nil {
			return errors.New("it is")
		}
		return nil
	})
	w.until("nobody is leaving", func() error {
		r, err := w.report()
		if err != nil || len(r.Domains) != 1 || len(r.Notices) > 0 {
			return fmt.Errorf("%v %+v", err, r)
		}
		return nil
	})
	w.leads("https://www.kopasex.se/", frontend)
	values, err := w.metrics()
	if err != nil {
		t.Fatal(err)
	}
	for name := range values {
		if strings.Contains(name, "b.example") {
			t.Errorf("%s of a domain that is gone", name)
		}
	}
}

// Paused domains answer 410; those that launch later have neither records nor a
// certificate before, and go live by themselves.
func TestPausedAndLaunch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines())
	if err := os.Remove(w.path("domains.txt")); err != nil {
		t.Fatal(err)
	}
	w.write("domherre.yaml", strings.Replace(w.config(), "domains.txt", "domains.yaml", 1))
	w.write("domains.yaml", "domains:\n  - {name: kopasex.se, paused: true}\n  - {name: later.example, launch: 2099-01-01}\n  - {name: today.example, launch: 2020-01-01}\n")
	w.start()
	w.until("the launched one is live", w.live("today.example"))
	w.until("one is paused", w.state("kopasex.se", check.StatePaused))
	w.until("one is planned", w.state("later.example", check.StatePlanned))
	w.until("the paused one has a certificate", func() error {
		status, _, err := w.visit("https://kopasex.se/")
		if err != nil || status != http.StatusGone {
			return fmt.Errorf("%d, %v", status, err)
		}
		return nil
	})
	if _, _, err := w.visit("https://later.example/"); err == nil || w.issued("later.example") > 0 {
		t.Error("a domain has a certificate before its launch")
	}
	if status, _, err := w.visit("http://later.example/"); err != nil || status < 400 {
		t.Errorf("before its launch a domain answers %d, %v", status, err)
	}
	if _, errs, code := w.domherre("check"); code != 0 {
		t.Errorf("check: exit %d\n%s", code, errs)
	}
	w.write("domains.yaml", "domains:\n  - kopasex.se\n  - later.example\n  - today.example\n")
	w.until("all are live", w.live("kopasex.se", "later.example", "today.example"))
}

// The CA is down at first; once it is back, what waited is issued.
func TestCAComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	directory := strings.TrimPrefix(w.Addresses().Directory, "https://")
	address, path, _ := strings.Cut(directory, "/")
	ca := newRelay(t, address)
	ca.down()
	w.write("domherre.yaml", strings.ReplaceAll(w.config(), w.Addresses().Directory, "https://"+ca.address+"/"+path))
	w.start()
	w.until("the status tells of the CA", func() error {
		r, err := w.report()
		if err != nil {
			return err
		}
		if c, _ := r.Domains[0].Check(check.CheckCertificate); !strings.Contains(c.Finding, ca.address) {
			return fmt.Errorf("certificate: %+v", c)
		}
		return nil
	})
	w.leads("http://kopasex.se/", frontend)
	ca.up()
	w.until("the domain is live", w.live("kopasex.se"))
	w.leads("http://kopasex.se/", "https://kopasex.se/")
}

// The admin listener to the letter of the contract.
func TestAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("köpasex.example"))
	w.start()
	w.until("the domain is live", w.live("xn--kpasex-wxa.example"))
	w.leads("https://www.xn--kpasex-wxa.example/", frontend)
	w.until("the frontend is looked at", func() error {
		if r, err := w.report(); err != nil || r.Frontend == nil || r.Frontend.State != check.StateBroken {
			return fmt.Errorf("%v %+v", err, r.Frontend)
		}
		return nil
	})
	if out, _, code := w.domherre("check"); code != 0 || !strings.Contains(out, "frontend broken: https://www.duavgör.se/ has no address") {
		t.Errorf("check: exit %d\n%s", code, out)
	}
	values, err := w.metrics()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		`domherre_domain_live{domain="xn--kpasex-wxa.example"}`,
		`domherre_check_state{check="delegation",domain="xn--kpasex-wxa.example",state="ok"}`,
		`domherre_reconcile_total{outcome="done"}`,
		"domherre_reconcile_duration_seconds_count",
		`domherre_pending_changes{op="create"}`, `domherre_pending_changes{op="update"}`, `domherre_pending_changes{op="delete"}`,
		"domherre_guard_refused", "domherre_config_valid", "domherre_config_reload_timestamp_seconds",
		`domherre_certificate_not_after_timestamp_seconds{name="www.xn--kpasex-wxa.example"}`,
		`domherre_redirects_total{code="302",domain="xn--kpasex-wxa.example"}`,
		`domherre_provider_requests_total{op="read",outcome="ok",provider="embedded"}`,
	} {
		if _, ok := values[name]; !ok {
			t.Errorf("no metric %s", name)
		}
	}
	for path, want := range map[string]string{
		"/": "has no address in DNS. The domains lead there all the same.", "/domains/köpasex.example": "xn--kpasex-wxa.example", "/domains/xn--kpasex-wxa.example": "köpasex.example",
		"/healthz": "ok\n", "/readyz": "ok\n", "/api/v1/status": `"campaign": "Du avgör!"`, "/api/v1/plan": `"portfolio": "du-avgor"`,
		"/api/v1/certificates": `"www.xn--kpasex-wxa.example"`,
	} {
		if status, body := w.page(path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d without %q:\n%s", path, status, want, body)
		}
	}
	resp, err := w.client.Get("http://" + w.http + "/.well-known/domherre/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("health on the public listener: %s", resp.Status)
	}
}

func (w *world) page(path string) (int, string) {
	w.Helper()
	resp, err := w.client.Get("http://" + w.admin + path)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A state that can't be written: what is in it is served, and the daemon says
// that it is degraded; when it can be written again, work goes on.
func TestReadOnlyState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	if code := d.stop(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
	restore := w.readOnly()
	d = w.asNobody()
	w.until("the daemon answers", func() error { return w.get("http://"+w.admin+"/readyz", nil) })
	w.leads("https://www.kopasex.se/", frontend)
	w.until("it is told in the status", w.notice("state"))
	if _, page := w.page("/"); !strings.Contains(page, "can&#39;t be written") {
		t.Errorf("the page doesn't tell:\n%s", page)
	}
	w.until("it is measured", w.is("domherre_degraded", 1))
	if _, body := w.page("/readyz"); !strings.HasPrefix(body, "ok\n") || !strings.Contains(body, "degraded") {
		t.Errorf("readyz: %q", body)
	}
	if n := strings.Count(d.output(t), "msg=degraded:") + strings.Count(d.output(t), `msg="degraded:`); n != 1 {
		t.Errorf("the log tells %d times that it is degraded", n)
	}
	w.write("domains.txt", lines("kopasex.se", "kopa-tid.test"))
	restore()
	w.until("work goes on", w.live("kopasex.se", "kopa-tid.test"))
	w.until("all is well", func() error {
		if w.notice("state")() == nil {
			return errors.New("still degraded")
		}
		return w.is("domherre_degraded", 0)()
	})
}

// nobody is a user without rights.
const nobody = 65534

// readOnly takes the right to write from the state's folders, and gives what
// gives it back. root may write anyway, so that they are given to nobody.
func (w *world) readOnly() (restore func()) {
	w.Helper()
	chmod := func(mode fs.FileMode) {
		w.Helper()
		err := filepath.WalkDir(w.path("state"), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if os.Getuid() == 0 {
				if err := os.Lchown(path, nobody, nobody); err != nil {
					return err
				}
			}
			if e.IsDir() {
				return os.Chmod(path, mode)
			}
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	// testing makes the folder above ours for its user alone.
	if err := os.Chmod(filepath.Dir(w.dir), 0o755); err != nil {
		w.Fatal(err)
	}
	chmod(0o555)
	w.Cleanup(func() { chmod(0o755) })
	return func() { chmod(0o755) }
}

// asNobody starts the daemon as a user whom the folder modes bind.
func (w *world) asNobody() *daemon {
	w.Helper()
	path, err := exec.LookPath("domherre")
	if err != nil {
		w.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err == nil {
		err = os.MkdirAll(w.path("bin"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(w.path("bin/domherre"), program, 0o755)
	}
	if err != nil {
		w.Fatal(err)
	}
	cmd := exec.Command(w.path("bin/domherre"), "run", "-c", w.path("domherre.yaml"))
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return w.launchAs(cmd)
}
