package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
)

const (
	hitsBrowser = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0 canary-agent"
	hitsBot     = "canary-agent-bot/1.0"
)

// come visits a URL n times.
func (w *world) come(url, agent string, n int) {
	w.Helper()
	for range n {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, url, nil)
		if err != nil {
			w.Fatal(err)
		}
		req.Header.Set("User-Agent", agent)
		req.Header.Set("Referer", "https://canary-referrer.example/")
		resp, err := w.client.Do(req)
		if err != nil {
			w.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			w.Fatalf("%s: %s", url, resp.Status)
		}
	}
}

// counted reports that `hits` doesn't show a domain's visits as wanted.
func (w *world) counted(ascii string, people, bots int64) func() error {
	return func() error {
		out, errs, code := w.domherre("hits", "--by", "domain", "-o", "json")
		var doc wire.HitsDoc
		if err := json.Unmarshal([]byte(out), &doc); code != 0 || err != nil {
			w.Fatalf("hits: exit %d, %v\n%s%s", code, err, out, errs)
		}
		got := map[string]int64{}
		for _, row := range doc.Rows {
			if row.ASCII == ascii {
				got[row.Class] = row.Hits
			}
		}
		if got["person"] != people || got["bot"] != bots {
			return fmt.Errorf("got %v, want %d people and %d bots", got, people, bots)
		}
		return nil
	}
}

// Status, API, hits and metrics tell the same. What was counted outlives a stop
// wholly, and a kill but for what was counted just before. Nobody's browser is
// written down anywhere.
func TestHits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se", "köpasex.example"))
	d := w.start()
	w.until("both domains are live", w.live("kopasex.se", "xn--kpasex-wxa.example"))
	day := time.Now().Format(time.DateOnly)
	w.come("https://kopasex.se/canary-path?canary-query", hitsBrowser, 7)
	w.come("https://www.kopasex.se/", hitsBot, 3)
	w.come("http://kopasex.se/", hitsBrowser, 2) // a hop to HTTPS alone
	w.come("https://xn--kpasex-wxa.example/", hitsBrowser, 1)

	w.until("hits shows them", w.counted("kopasex.se", 7, 3))
	w.until("the metrics show them", w.is(`domherre_redirects_total{code="302",domain="kopasex.se"}`, 10))
	if got := w.sum("domherre_redirects_total"); got != 11 {
		t.Errorf("all redirects: %v, want 11, without the checks'", got)
	}
	w.hitsOfStatus("the daemon", day, check.Hits{Today: 10, Total: 10, PeopleToday: 7, PeopleTotal: 7})
	if code := d.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	w.until("a stop loses nothing", w.counted("kopasex.se", 7, 3))
	w.hitsOfStatus("the state", day, check.Hits{Today: 10, Total: 10, PeopleToday: 7, PeopleTotal: 7})

	second := w.start()
	w.come("https://kopasex.se/", hitsBot, 5)
	w.until("they are added", w.counted("kopasex.se", 7, 8))
	w.until("they are in the state", func() error { return w.inState(5) })
	if err := second.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-second.ended
	w.until("a kill loses nothing that was written", w.counted("kopasex.se", 7, 8))
	w.nowhere("canary", d, second)
}

func (w *world) hitsOfStatus(from, day string, want check.Hits) {
	w.Helper()
	out, errs, code := w.domherre("status", "kopasex.se", "-o", "json")
	var report check.Report
	if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || len(report.Domains) != 1 {
		w.Fatalf("status: exit %d, %v\n%s%s", code, err, out, errs)
	}
	got := report.Domains[0].Hits
	if time.Now().Format(time.DateOnly) != day { // midnight came in between
		got.Today, got.PeopleToday = want.Today, want.PeopleToday
	}
	if got != want {
		w.Errorf("status from %s: got %+v, want %+v", from, got, want)
	}
}

// inState reports that no file of the state has so many visits by bots.
func (w *world) inState(bots int) error {
	files, err := filepath.Glob(w.path("state/hits/*/*/*.json"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil && bytes.Contains(text, fmt.Appendf(nil, `"bot":%d`, bots)) {
			return nil
		}
	}
	return fmt.Errorf("not in %v", files)
}

// nowhere looks for a word in all that was written.
func (w *world) nowhere(word string, daemons ...*daemon) {
	w.Helper()
	for _, d := range daemons {
		if strings.Contains(d.output(w), word) {
			w.Errorf("%q is in the log", word)
		}
	}
	err := filepath.WalkDir(w.path("state"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(word)) || strings.Contains(path, word) {
			w.Errorf("%q is in %s", word, path)
		}
		return err
	})
	if err != nil {
		w.Error(err)
	}
}
