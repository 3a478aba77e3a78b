package state

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestPostgresURL reads URLs, good and bad, and looks for the password in all
// that is said of them.
func TestPostgresURL(t *testing.T) {
	t.Parallel()
	const plain = "may be unencrypted; add sslmode=verify-full"
	for location, want := range map[string]string{
		"postgres://u:hemligt@db.example/d?sslmode=verify-full": "",
		"postgres://u:hemligt@db.example/d?sslmode=require":     "",
		"postgres://u:hemligt@db.example/d":                     plain,
		"postgres://u:hemligt@db.example/d?sslmode=disable":     plain,
		"postgres://u:hemligt@127.0.0.1/d":                      "",
		"postgres://u:hemligt@/d?host=/run/postgresql":          "",
		"postgres://u:hemligt%@db.example/d":                    "can't be read; write postgres://user:password@host",
		"postgres://u:hemligt@db.example:port/d":                "can't be read",
		"postgres://127.0.0.1/d?search_path=a,b":                `search_path="a,b" of the postgres:// URL is no schema`,
		"postgres://127.0.0.1/d?search_path=A":                  "write one name of a–z",
	} {
		var said bytes.Buffer
		s, err := openPostgres(location, slog.New(slog.NewTextHandler(&said, nil)))
		if err == nil {
			said.WriteString(s.String())
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else {
			said.WriteString(err.Error())
		}
		got := said.String()
		if !strings.Contains(got, want) || want == "" && strings.Contains(got, "level=") || strings.Contains(got, "hemligt") {
			t.Errorf("%s: %q; want %q", location, got, want)
		}
	}
}
