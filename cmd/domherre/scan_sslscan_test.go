package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// sslscanReport is what sslscan finds, as far as it is judged.
type sslscanReport struct {
	Protocols []struct {
		Type    string `xml:"type,attr"`
		Version string `xml:"version,attr"`
		Enabled bool   `xml:"enabled,attr"`
	} `xml:"ssltest>protocol"`
	Renegotiation struct {
		Supported bool `xml:"supported,attr"`
	} `xml:"ssltest>renegotiation"`
	Heartbleed []struct {
		Vulnerable bool `xml:"vulnerable,attr"`
	} `xml:"ssltest>heartbleed"`
	Ciphers []struct {
		Version  string `xml:"sslversion,attr"`
		Cipher   string `xml:"cipher,attr"`
		Strength string `xml:"strength,attr"`
	} `xml:"ssltest>cipher"`
}

// Of Mozilla's intermediate profile, what an ECDSA certificate can do.
var intermediate = []string{
	"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
}

// TestSSLScan has sslscan look at the daemon where DOMHERRE_SSLSCAN names it, as
// `make bench-redirect` does.
func TestSSLScan(t *testing.T) {
	t.Parallel()
	program := os.Getenv("DOMHERRE_SSLSCAN")
	if program == "" {
		t.Skip("DOMHERRE_SSLSCAN names no sslscan")
	}
	w := newWorld(t, lines("kopasex.se"))
	w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	report := w.path("sslscan.xml")
	scan := exec.CommandContext(t.Context(), program, "--no-colour", "--sni-name=kopasex.se", "--xml="+report, fmt.Sprintf("127.0.0.1:%d", portOf(w.https)))
	if out, err := scan.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var r sslscanReport
	if err := xml.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, p := range r.Protocols {
		if want := p.Type == "tls" && (p.Version == "1.2" || p.Version == "1.3"); p.Enabled != want {
			t.Errorf("%s %s: %v", p.Type, p.Version, p.Enabled)
		}
	}
	for _, h := range r.Heartbleed {
		if h.Vulnerable {
			t.Error("heartbleed")
		}
	}
	for _, c := range r.Ciphers {
		t.Logf("%s %s: %s", c.Version, c.Cipher, c.Strength)
		if !slices.Contains(intermediate, c.Cipher) {
			t.Errorf("%s isn't of the intermediate profile", c.Cipher)
		}
	}
	if r.Renegotiation.Supported || len(r.Ciphers) < 4 || len(r.Protocols) < 4 {
		t.Errorf("renegotiation, or the scan broke off:\n%s", text)
	}
}
