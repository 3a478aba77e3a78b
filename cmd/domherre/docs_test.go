package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"domherre/cmd/domherre/internal/cli"
)

var (
	helpCommand = regexp.MustCompile(`(?m)^  ([a-z]+)  +\S`)
	helpFlag    = regexp.MustCompile(`(?m)^ +(?:-[a-z], )?(--[a-z0-9-]+)`)
)

// TestDocCommands holds docs/commands.md to the help: it shows every command,
// and every flag of it in the command's own section.
func TestDocCommands(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	documented(t, string(text))
}

func documented(t *testing.T, page string, path ...string) {
	t.Helper()
	help := helpOf(t, path...)
	usage := "domherre " + strings.Join(path, " ")
	_, section, found := strings.Cut(page, "\n    "+usage)
	commands, isGroup := between(help, "Available Commands:", "\n\n")
	switch {
	case len(path) > 0 && !isGroup && !found:
		t.Errorf("docs/commands.md doesn't show %s", usage)
	case found:
		section, _, _ = strings.Cut(section, "\n## ")
		flags, _ := between(help, "\nFlags:", "\n\n")
		for _, m := range helpFlag.FindAllStringSubmatch(flags, -1) {
			if m[1] != "--help" && m[1] != "--output" && !strings.Contains(section, m[1]) {
				t.Errorf("docs/commands.md doesn't show %s of %s", m[1], usage)
			}
		}
	}
	for _, m := range helpCommand.FindAllStringSubmatch(commands, -1) {
		if m[1] == "help" || len(path) > 0 && path[0] == "completion" {
			continue
		}
		documented(t, page, append(path[:len(path):len(path)], m[1])...)
	}
}

func helpOf(t *testing.T, path ...string) string {
	t.Helper()
	var out bytes.Buffer
	env := cli.Environment{In: strings.NewReader(""), Out: &out, Err: &out, Getenv: func(string) (string, bool) { return "", false }}
	if code := cli.Main(append(path[:len(path):len(path)], "--help"), env); code != 0 {
		t.Fatalf("domherre %s --help exits with %d:\n%s", strings.Join(path, " "), code, out.String())
	}
	return out.String() + "\n"
}

// between gives what stands between a heading and the end after it.
func between(s, heading, end string) (string, bool) {
	_, rest, found := strings.Cut(s, heading)
	inside, _, _ := strings.Cut(rest, end)
	return inside, found
}
