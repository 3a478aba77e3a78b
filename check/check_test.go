package check

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// TestSentences holds every state and both languages to the golden table, and
// the table to having every sentence of the catalogue.
func TestSentences(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	said := newSaid()
	for _, s := range situations() {
		fmt.Fprintf(&table, "== %s: %s\n", s.check, s.name)
		w := newWorld(t)
		s.spoil(w)
		c := w.checker("")
		for _, c.Language = range []string{"sv", "en"} {
			d := c.Domain(t.Context(), w.subject)
			r, ok := d.Check(s.check)
			if !ok || r.State != s.state {
				t.Errorf("%s: %s is %q, want %q: %s", s.name, s.check, r.State, s.state, r.Finding)
			}
			said.note(c.Language, d.Checks...)
			fmt.Fprintf(&table, "%s %s: %s\n   → %s\n", c.Language, r.State, r.Finding, r.Advice)
		}
	}
	for _, s := range frontendSituations() {
		fmt.Fprintf(&table, "== frontend: %s\n", s.name)
		for _, language := range []string{"sv", "en"} {
			r := s.run(t, language)
			said.note(language, r)
			fmt.Fprintf(&table, "%s %s: %s\n   → %s\n", language, r.State, r.Finding, r.Advice)
		}
	}
	for _, language := range []string{"sv", "en"} {
		w := newWorld(t)
		r, _ := w.checker(language).Unseen(w.subject.Domain).Check(CheckDelegation)
		said.note(language, r)
		fmt.Fprintf(&table, "== unseen\n%s %s: %s\n   → %s\n", language, r.State, r.Finding, r.Advice)
	}
	for id := range maps.Keys(catalogue) {
		if !said.seen[id] {
			t.Errorf("no situation leads to the sentence %q", id)
		}
	}
	if strings.Contains(table.String(), "{") {
		t.Error("a word was left out of a sentence: see the braces in the table")
	}
	golden(t, "testdata/sentences.golden", table.String())
}

var anyPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

var anyFrontendPort = regexp.MustCompile(`duavgör\.se:\d+`)

// said finds out which sentences of the catalogue were said.
type said struct {
	forms map[string]map[sentence]*regexp.Regexp // by language
	seen  map[sentence]bool
}

func newSaid() *said {
	s := &said{forms: map[string]map[sentence]*regexp.Regexp{"sv": {}, "en": {}}, seen: map[sentence]bool{}}
	hole := regexp.MustCompile(`\\\{\w+\\\}`)
	for id, text := range catalogue {
		for language, l := range map[string]line{"sv": text.sv, "en": text.en} {
			s.forms[language][id] = regexp.MustCompile("^" + hole.ReplaceAllString(regexp.QuoteMeta(l.finding), ".+") + "$")
		}
	}
	return s
}

func (s *said) note(language string, results ...Result) {
	for id, form := range s.forms[language] {
		for _, r := range results {
			if form.MatchString(r.Finding) {
				s.seen[id] = true
			}
		}
	}
}

// golden compares text with a file; ports are left out of both.
func golden(t *testing.T, file, got string) {
	t.Helper()
	got = anyPort.ReplaceAllString(got, "127.0.0.1:PORT")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./check -update writes it anew); got:\n%s", file, got)
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, state string
		failing     bool
		worst       string
		spoil       func(*world)
	}{
		{"all well", StateLive, false, "", func(*world) {}},
		{"a warning", StateLive, false, CheckCertificate, func(w *world) { w.subject.Certificate.Internal = true }},
		{"the registry silent", StateLive, false, "", func(w *world) { w.regErr = io.EOF }},
		{"deleted soon", StateLive, false, CheckRegistration, func(w *world) { w.reg.Status = []string{"pendingDelete"} }},
		{"no certificate yet", StateWaiting, true, CheckCertificate, func(w *world) { w.noCert, w.subject.Certificate = true, CertificateState{} }},
		{"moved away", StateBroken, true, CheckDelegation, func(w *world) { w.dns.answers[w.zone("NS")] = w.ns("ns.parking.example") }},
		{"no resolver", StateUnknown, true, CheckDelegation, func(w *world) { w.dns.err = io.EOF }},
		{"paused", StatePaused, false, "", func(w *world) {
			w.subject.Domain.Paused = true
			w.secure = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusGone) }
		}},
		{"planned", StatePlanned, false, CheckCertificate, func(w *world) { w.subject.Domain.Launch = today.AddDate(0, 1, 0) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.spoil(w)
			d := w.checker("en").Domain(t.Context(), w.subject)
			if d.State != tt.state || d.Live != (tt.state == StateLive) || d.Failing() != tt.failing || d.Worst().Check != tt.worst {
				t.Errorf("state %q, live %v, failing %v, worst %q; checks %+v", d.State, d.Live, d.Failing(), d.Worst().Check, d.Checks)
			}
		})
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	earlier := today.Add(-time.Hour)
	w.subject.Previous = &DomainStatus{Checks: []Result{
		{Check: CheckDelegation, State: StateOK, Since: earlier},
		{Check: CheckMail, State: StateWarning, Since: earlier},
	}}
	d := w.checker("en").Domain(t.Context(), w.subject)
	for check, want := range map[string]time.Time{CheckDelegation: earlier, CheckMail: today, CheckRecords: today} {
		if r, _ := d.Check(check); !r.Since.Equal(want) {
			t.Errorf("%s since %s, want %s", check, r.Since, want)
		}
	}
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subject.Certificate.Certificate = &Certificate{
		Names: w.leaf.names, Issuer: "Test root", NotAfter: w.leaf.notAfter, RenewAt: today.AddDate(0, 0, 50),
	}
	c := w.checker("sv")
	report := Report{Version: 1, Campaign: "Du avgör!", Domains: c.All(t.Context(), []Subject{w.subject}, nil)}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.golden", string(text)+"\n")
}

func TestAllKeepsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.checker("en")
	c.Parallel = 3
	var subjects []Subject
	for _, name := range []string{"a.example", "b.example", "c.example", "d.example", "e.example"} {
		s := w.subject
		s.Domain.Name = mustName(t, name)
		subjects = append(subjects, s)
	}
	told := 0
	statuses := c.All(t.Context(), subjects, func(DomainStatus) { told++ })
	if told != len(subjects) {
		t.Errorf("told of %d domains, want %d", told, len(subjects))
	}
	for i, s := range statuses {
		if s.ASCII != subjects[i].Domain.Name.ASCII() {
			t.Errorf("place %d holds %s", i, s.ASCII)
		}
	}
}
