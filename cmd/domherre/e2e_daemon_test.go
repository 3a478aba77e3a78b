package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
