package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"domherre/check"
)

const frontend = "https://www.xn--duavgr-0xa.se/"

// The main job: a list goes in, live domains come out; one more line is one
// more live domain, and nothing else needs doing.
func TestMainJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se", "köpasex.example"))
	d := w.start()
	w.until("both domains are live", w.live("kopasex.se", "xn--kpasex-wxa.example"))
	w.leads("https://kopasex.se/", frontend)
	w.leads("https://www.kopasex.se/any/path?and=query", frontend)
	w.leads("http://www.xn--kpasex-wxa.example/", "https://www.xn--kpasex-wxa.example/")

	w.write("domains.txt", lines("kopasex.se", "köpasex.example", "köpa-tid.test"))
	w.until("the new domain is live", w.live("xn--kpa-tid-90a.test"))
	w.leads("https://www.xn--kpa-tid-90a.test/", frontend)

	out, _, code := w.domherre("status", "-o", "json")
	var report check.Report
	if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || len(report.Domains) != 3 {
		t.Errorf("status: exit %d, %v, %s", code, err, out)
	}
	w.until("all is done", w.planned())
	if out, errs, code := w.domherre("check"); code != 0 || !strings.Contains(out, "3 of 3 domains live") {
		t.Errorf("check: exit %d\n%s%s", code, out, errs)
	}
	if code := d.stop(t); code != 0 {
		t.Errorf("SIGTERM: exit %d", code)
	}
	out, errs, code := w.domherre("status")
	if code != 0 || !strings.Contains(out, "3 of 3 domains live") || !strings.Contains(errs, "seen last") {
		t.Errorf("status without a daemon: exit %d\n%s%s", code, out, errs)
	}
}

// What was issued is served from the first moment after a restart, whether or
// not the CA can be reached; kill -9 leaves nothing that stands in the way.
func TestRestartWithoutCA(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	if err := d.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if err := w.Lab.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.leads("https://kopasex.se/", frontend)
}

// A reload that can't be used leaves what runs running, says why, and the next
// good one is taken.
func TestBadReloads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	for name, bad := range map[string]string{
		"a URL":           lines("https://www.kopasex.se/hej"),
		"a public suffix": lines("se"),
		"an empty list":   "",
		"an emoji":        lines("kopasex.se", "köp💶.example"),
		"mixed scripts":   lines("kopasex.se", "k\u043epasex.example"),
		"too long":        lines("kopasex.se", strings.Repeat("lang.", 50)+"example"),
	} {
		before := strings.Count(d.output(t), "the config has faults")
		w.write("domains.txt", bad)
		w.until(name+" is refused", func() error {
			if strings.Count(d.output(t), "the config has faults") == before {
				return errors.New("not yet")
			}
			return nil
		})
		w.leads("https://kopasex.se/", frontend)
		if _, page := w.page("/"); !strings.Contains(page, "domains.txt, line ") {
			t.Errorf("%s: the page doesn't say in which line", name)
		}
	}
	good := w.config()
	for name, bad := range map[string]string{"broken YAML": "campaign: [", "half a config": good[:len(good)/3], "an empty config": ""} {
		before := strings.Count(d.output(t), "the config has faults")
		w.write("domherre.yaml", bad)
		w.until(name+" is refused", w.logged(d, "the config has faults", before+1))
		w.leads("https://kopasex.se/", frontend)
		if status, body := w.page("/readyz"); status != http.StatusOK || !strings.Contains(body, "config: degraded") {
			t.Errorf("readyz: %d %q", status, body)
		}
	}
	before := strings.Count(d.output(t), "the config has faults")
	if err := os.Remove(w.path("domherre.yaml")); err != nil {
		t.Fatal(err)
	}
	w.until("no config is refused", w.logged(d, "the config has faults", before+1))
	w.leads("https://kopasex.se/", frontend)
	w.write("domains.txt", lines("kopasex.se", "kopa-tid.test"))
	w.write("domherre.yaml", good)
	w.until("a good list is taken", w.live("kopa-tid.test"))
}

// The domain list is replaced by a folder, and vanishes: the daemon keeps what
// it has, and sees the file when it is back.
func TestListVanishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	if err := os.Remove(w.path("domains.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.path("domains.txt"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.until("the fault is told", func() error {
		if !strings.Contains(d.output(t), "the config has faults") {
			return errors.New("not yet")
		}
		return nil
	})
	w.leads("https://kopasex.se/", frontend)
	if err := os.Remove(w.path("domains.txt")); err != nil {
		t.Fatal(err)
	}
	w.write("domains.txt", lines("kopasex.se", "kopa-tid.test"))
	w.until("the list is read again", w.live("kopa-tid.test"))
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	l, err := net.Listen("tcp", w.https)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, errs, code := w.domherre("run")
	if code != 1 || !strings.Contains(errs, fmt.Sprintf("listen.https: can't listen on %s: address already in use", w.https)) || !strings.Contains(errs, "hint:") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

// A CA that is down keeps nobody from being redirected on plain HTTP, and is
// tried again.
func TestCADown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	w.write("domherre.yaml", strings.ReplaceAll(w.config(), w.Addresses().Directory, "https://127.0.0.1:1/dir"))
	w.start()
	w.leads("http://kopasex.se/", frontend)
	w.until("the status tells of the CA", func() error {
		var r check.Report
		if err := w.get("http://"+w.admin+"/api/v1/status", &r); err != nil {
			return err
		}
		if c, _ := r.Domains[0].Check(check.CheckCertificate); !strings.Contains(c.Finding, "127.0.0.1:1") {
			return fmt.Errorf("certificate: %+v", c)
		}
		return nil
	})
}

// Two changes of one portfolio never run at once: a command tells who works,
// and waits.
func TestApplyBesideDaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	// Without a daemon, apply changes the embedded server's zones…
	if out, errs, code := w.domherre("apply", "--yes"); code != 0 || !strings.Contains(out, "1 applied") {
		t.Fatalf("apply: exit %d\n%s%s", code, out, errs)
	}
	w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	// …and a running one serves what another process applies at once.
	w.write("domherre.yaml", strings.ReplaceAll(w.config(), "ttl: 1m", "ttl: 2m"))
	if out, errs, code := w.domherre("apply", "--yes", "--wait"); code != 0 {
		t.Fatalf("apply beside the daemon: exit %d\n%s%s", code, out, errs)
	}
	w.until("the domain is live still", w.live("kopasex.se"))
}
