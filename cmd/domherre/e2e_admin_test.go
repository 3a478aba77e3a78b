package main

import (
	"errors"
	"fmt"
	"io"
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
	w.until("what should be served is known", w.live("kopasex.se"))
	for _, command := range []string{"plan", "check", "certs list", "certs plan", "zones list", "history", "status"} {
		if out, code := w.nobodyRuns(strings.Fields(command)...); code != 0 {
			t.Errorf("%s, which changes nothing, exits with %d:\n%s", command, code, out)
		}
	}
	if out, code := w.nobodyRuns("apply", "--yes"); code != 1 || !strings.Contains(out, "is not writable") {
		t.Errorf("apply exits with %d:\n%s", code, out)
	}
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

// nobodyRuns runs a command as that user, beside the daemon.
func (w *world) nobodyRuns(args ...string) (string, int) {
	w.Helper()
	cmd := exec.Command(w.path("bin/domherre"), append(args, "-c", w.path("domherre.yaml"))...)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, _ := cmd.CombinedOutput() // the exit code tells
	return string(out), cmd.ProcessState.ExitCode()
}
