package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What answers on the admin listener's address may be the daemon of another
// portfolio on the same machine.
func TestStatusOfAnotherPortfolio(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]string{
		"another":   `{"version": 1, "portfolio": "annan", "domains": [{"domain": "kopasex.test", "ascii": "kopasex.test"}]}`,
		"no status": `hello`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, report) }))
		defer server.Close()
		dir := t.TempDir()
		config := fmt.Sprintf("campaign: Du avgör!\nfrontend: https://www.duavgör.se/\ndomains: [domains.txt]\n"+
			"providers: {embedded: {type: embedded}}\ndns: {addresses: [192.0.2.10]}\nlisten: {admin: %q}\n", server.Listener.Addr())
		for file, text := range map[string]string{"domherre.yaml": config, "domains.txt": "kopasex.se\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command("domherre", "status", "-c", filepath.Join(dir, "domherre.yaml")).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "nothing is known yet") || strings.Contains(string(out), "kopasex.test") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
