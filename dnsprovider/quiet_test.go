//go:build !lean

package dnsprovider

import (
	"log"
	"log/slog"
	"net/http"
	"testing"
	"time"
)

func TestLinodeKeepsTheLogger(t *testing.T) {
	t.Parallel()
	loggers.Lock() // another's first call would be taken for this one's
	logger, out, flags := slog.Default(), log.Writer(), log.Flags()
	loggers.Unlock()
	p, err := newProvider(Config{Name: "main", Type: "linode", Settings: map[string]any{"api_token": "x"}},
		Deps{Now: time.Now, HTTP: &http.Client{Transport: new(recorder)}, Requested: func(string, string, string) {}}, rows())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := ask(t.Context(), p); err == nil {
			t.Fatal("no error, though all is forbidden")
		}
		loggers.Lock()
		if slog.Default() != logger || log.Writer() != out || log.Flags() != flags {
			t.Error("the program's logger is another now")
		}
		loggers.Unlock()
	}
}
