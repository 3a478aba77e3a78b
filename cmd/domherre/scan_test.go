package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestTLSScan has testssl.sh look at the daemon where DOMHERRE_SCAN names it,
// as `make bench-redirect` does: it takes minutes. The certificate is left out,
// since a lab's CA signed it.
func TestTLSScan(t *testing.T) {
	t.Parallel()
	program := os.Getenv("DOMHERRE_SCAN")
	if program == "" {
		t.Skip("DOMHERRE_SCAN names no testssl.sh")
	}
	w := newWorld(t, lines("kopasex.se"))
	w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	report := w.path("scan.json")
	scan := exec.CommandContext(t.Context(), program, "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1",
		"-p", "-s", "-f", "-P", "-U", "--jsonfile", report, "kopasex.se:"+fmt.Sprint(portOf(w.https)))
	out, err := scan.CombinedOutput()
	text, readErr := os.ReadFile(report)
	if readErr != nil {
		t.Fatalf("%v: %v\n%s", err, readErr, out)
	}
	var findings []struct{ ID, Severity, Finding string }
	if err := json.Unmarshal(text, &findings); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		switch f.Severity {
		case "OK", "INFO", "LOW":
		case "WARN": // what it couldn't look at
			t.Logf("%s: %s", f.ID, f.Finding)
		default:
			t.Errorf("%s: %s: %s", f.Severity, f.ID, f.Finding)
		}
	}
	t.Logf("testssl.sh: %d findings", len(findings))
	if len(findings) < 30 {
		t.Errorf("the scan broke off:\n%s", out)
	}
}
