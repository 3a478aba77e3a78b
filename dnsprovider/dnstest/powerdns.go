package dnstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// schema is where Debian's package has the tables for SQLite.
const schema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

// StartPowerDNS starts PowerDNS on SQLite, with its HTTP API, and the zones,
// each with an NS record and nothing else. The key may transfer and update them.
func StartPowerDNS(t testing.TB, zones ...string) *Server {
	t.Helper()
	sqlite := find(t, program{binary: "sqlite3", apt: "sqlite3"})
	api := ""
	s := start(t, program{
		binary: "pdns_server", apt: "pdns-server pdns-backend-sqlite3", config: "pdns.conf",
		args: func(config string) []string { return []string{"--config-dir=" + filepath.Dir(config)} },
		write: func(dir string, port int, _ []string) (string, error) {
			if out, err := exec.Command(sqlite, filepath.Join(dir, "zones.sqlite3"), ".read "+schema).CombinedOutput(); err != nil {
				return "", fmt.Errorf("sqlite3: %w: %s", err, out)
			}
			web, err := FreePort()
			api = fmt.Sprintf("http://127.0.0.1:%d", web)
			return powerConfig(dir, port, web), err
		},
	}, nil)
	s.API, s.Token = api, "api-key-of-tests"
	s.Call(t, http.MethodPost, "tsigkeys", map[string]any{"name": strings.TrimSuffix(KeyName, "."), "algorithm": "hmac-sha256", "key": Secret})
	for _, zone := range zones {
		zone = strings.TrimSuffix(zone, ".") + "."
		s.Call(t, http.MethodPost, "zones", map[string]any{
			"name": zone, "kind": "Native", "nameservers": []string{NameServer},
			"soa_edit_api": "DEFAULT", "master_tsig_key_ids": []string{KeyName},
		})
		s.Call(t, http.MethodPost, "zones/"+zone+"/metadata", map[string]any{"kind": "TSIG-ALLOW-DNSUPDATE", "metadata": []string{strings.TrimSuffix(KeyName, ".")}})
	}
	return s
}

func powerConfig(dir string, port, web int) string {
	return fmt.Sprintf(`launch=gsqlite3
gsqlite3-database=%[1]s/zones.sqlite3
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port=%[2]d
webserver=yes
webserver-address=127.0.0.1
webserver-port=%[3]d
api=yes
api-key=api-key-of-tests
socket-dir=%[1]s
daemon=no
guardian=no
disable-syslog=yes
dnsupdate=yes
allow-dnsupdate-from=127.0.0.1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
`, dir, port, web)
}

// Call calls the API, or fails the test.
func (s *Server) Call(t testing.TB, method, path string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.API+"/api/v1/servers/localhost/"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", s.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Log())
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		said, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: HTTP %s: %s", method, path, resp.Status, said)
	}
}
