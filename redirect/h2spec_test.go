package redirect

import (
	"net"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestH2spec runs the conformance suite h2spec where there is one:
// H2SPEC=/path/to/h2spec. `make bench-redirect` builds it.
func TestH2spec(t *testing.T) {
	program := os.Getenv("H2SPEC")
	if program == "" {
		t.Skip("H2SPEC names no h2spec")
	}
	cert := testCert(t, "127.0.0.1", "localhost")
	s := start(t, mustTable(t, Site{Domain: "localhost", Hosts: []string{"localhost"}, Target: frontend}), Options{TLS: certs(cert)})
	_, port, err := net.SplitHostPort(s.secure)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "-t", "-k", "-h", "localhost", "-p", port, "-o", "2").CombinedOutput()
	t.Log(regexp.MustCompile(`(?m)^\d+ tests.*$`).FindString(string(out)))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
