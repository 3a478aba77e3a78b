package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// passing is what differs from run to run, and what a golden file has instead.
var passing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\d{8}T\d{6}\.\d{3}-[a-z0-9]{4}`), "ENTRY"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "DIGEST"},
	{regexp.MustCompile(`[\w-]+@[\w.-]+"`), `WHO"`},
}

// scrub writes what the last command printed to a file, without what differs
// from run to run: scrub FILE.
func scrub(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: scrub FILE")
	}
	text := ts.ReadFile("stdout")
	for _, p := range passing {
		text = p.what.ReplaceAllString(text, p.as)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// entry sets $ENTRY to the id of a domain's nth entry in the history, from the
// newest: entry DOMAIN N.
func entry(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: entry DOMAIN N")
	}
	ts.Check(ts.Exec("domherre", "history", args[0], "-o", "json"))
	var doc struct {
		Entries []struct{ Entry string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	if n >= len(doc.Entries) {
		ts.Fatalf("the history of %s has %d entries", args[0], len(doc.Entries))
	}
	ts.Setenv("ENTRY", doc.Entries[n].Entry)
}
