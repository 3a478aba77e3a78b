package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Beside a daemon, a timer's command renews what it is told to, the daemon
// serves it at once, and the exported files follow. What can't succeed isn't
// ordered.
func TestCertsByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se", "köpasex.example"))
	d := w.start()
	w.until("both domains are live", w.live("kopasex.se", "xn--kpasex-wxa.example"))
	out, errs, code := w.domherre("certs", "renew")
	if code != 0 || !strings.Contains(out, "0 issued, 2 not due") {
		t.Fatalf("with nothing due: exit %d\n%s%s", code, out, errs)
	}
	before := w.serial("www.kopasex.se")
	to := w.path("export")
	export := func(want string) {
		t.Helper()
		if out, errs, code := w.domherre("certs", "export", "--to", to, "--exec", "echo x >>ran"); code != 0 || !strings.Contains(out, want) {
			t.Fatalf("export: exit %d\n%s%s", code, out, errs)
		}
	}
	export("2 written")
	if out, errs, code := w.domherre("certs", "revoke", "kopasex.se", "--reason", "superseded", "--yes"); code != 0 {
		t.Fatalf("revoke: exit %d\n%s%s", code, out, errs)
	}
	w.until("the daemon serves the new certificate", func() error {
		if w.serial("www.kopasex.se") == before {
			return errors.New("still the old one")
		}
		return nil
	})
	replaced := w.serial("www.kopasex.se")
	if out, errs, code := w.domherre("certs", "revoke", "kopasex.se", "--now", "--yes"); code != 0 || !strings.Contains(out, "revoked; a daemon replaces it") {
		t.Fatalf("revoke --now: exit %d\n%s%s", code, out, errs)
	}
	w.until("the daemon has replaced it by itself", func() error {
		if now := w.serial("www.kopasex.se"); now == before || now == replaced {
			return errors.New("still the old one")
		}
		return nil
	})
	export("1 written, 1 unchanged")
	export("0 written, 2 unchanged")
	if now := serialIn(t, filepath.Join(to, "kopasex.se", "fullchain.pem")); now == before || now != w.serial("kopasex.se") {
		t.Errorf("the export holds %s, not what is served", now)
	}
	if ran, err := os.ReadFile(filepath.Join(to, "ran")); err != nil || string(ran) != "x\nx\n" {
		t.Errorf("--exec ran %q, %v", ran, err)
	}

	if code := d.stop(t); code != 0 {
		t.Fatalf("SIGTERM: exit %d", code)
	}
	out, errs, code = w.domherre("certs", "renew", "köpasex.example", "--force", "--patience", "1s")
	if code != 1 || !strings.Contains(out, "köpasex.example (xn--kpasex-wxa.example): failed: no order while the delegation is broken") {
		t.Errorf("without the daemon, and so without name servers: exit %d\n%s%s", code, out, errs)
	}
}

// serial gives that of the certificate that a host shows, empty where it shows
// none.
func (w *world) serial(host string) string {
	conn, err := tls.Dial("tcp", w.https, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err != nil {
		return ""
	}
	defer conn.Close()
	return fmt.Sprintf("%x", conn.ConnectionState().PeerCertificates[0].SerialNumber)
}

func serialIn(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", leaf.SerialNumber)
}
