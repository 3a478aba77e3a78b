// Package domherre_test holds the tests of the house as a whole: which room
// may import which, and whether the docs' links lead anywhere.
package domherre_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// may lists what each room may import of ours, with the reason for anyone who
// wants to add to it. Arrows point one way, so that a room can be understood,
// tested and replaced without the others.
var may = map[string]struct {
	imports []string
	why     string
}{
	"portfolio":        {nil, "the core is pure: it does no I/O and knows no other room"},
	"config":           {[]string{"config", "portfolio"}, "config turns files into values of the core"},
	"dnsprovider":      {[]string{"dnsprovider", "portfolio"}, "providers speak in the core's words"},
	"check":            {[]string{"check", "portfolio"}, "checks compare the world with the core's wishes"},
	"web":              {[]string{"web", "check", "portfolio"}, "the page shows what the checks found"},
	"tls":              {[]string{"tls"}, "certificates know names only"},
	"redirect":         {[]string{"redirect"}, "the redirector knows hosts and targets only"},
	"state":            {[]string{"state"}, "the store knows keys and values only"},
	"cmd/domherre":     {[]string{"cmd/domherre", "portfolio", "config", "dnsprovider", "check", "web", "tls", "redirect", "state"}, "the product never holds the lab"},
	"cmd/domherre-lab": {nil, ""}, // the lab may hold everything
}

func TestArrows(t *testing.T) {
	t.Parallel()
	const module = "domherre/"
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		pkg = strings.TrimPrefix(pkg, module)
		if pkg == "domherre" {
			continue // this test's own folder
		}
		from := roomOf(pkg)
		rule, known := may[from]
		if !known {
			t.Errorf("%s is in no known room: design a place for it, then list it here", pkg)
		}
		if from == "cmd/domherre-lab" {
			continue
		}
		for _, imported := range strings.Fields(imports) {
			to, ours := strings.CutPrefix(imported, module)
			if ours && roomOf(to) != from && !slices.Contains(rule.imports, roomOf(to)) {
				t.Errorf("%s imports %s: %s", pkg, to, rule.why)
			}
		}
	}
}

// roomOf gives the room that a package lies in, the longest that fits.
func roomOf(pkg string) string {
	best := ""
	for room := range may {
		if (pkg == room || strings.HasPrefix(pkg, room+"/")) && len(room) > len(best) {
			best = room
		}
	}
	return best
}

// TestCoreIsPure holds the core to what can be seen of purity from outside: no
// package that does I/O, and no clock.
func TestCoreIsPure(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{range .Imports}}{{.}} {{end}}`, "./portfolio").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"os", "net", "net/http", "log", "log/slog", "io/fs", "database/sql"} {
		if slices.Contains(strings.Fields(string(out)), forbidden) {
			t.Errorf("portfolio imports %s: the core does no I/O", forbidden)
		}
	}
	sources, err := filepath.Glob("portfolio/*.go")
	if err != nil {
		t.Fatal(err)
	}
	clock := regexp.MustCompile(`\btime\.(Now|Since|Until|Sleep)\(`)
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(source, "_test.go") && clock.Match(text) {
			t.Errorf("%s reads the clock: the core is told the time", source)
		}
	}
}

var (
	mdLink   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdHead   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	mdFenced = regexp.MustCompile("(?s)```.*?```")
)

func TestDocLinks(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	for page := range strings.FieldsSeq(string(out)) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mdLink.FindAllSubmatch(mdFenced.ReplaceAll(text, nil), -1) {
			if link := string(m[1]); !strings.Contains(link, "://") && !strings.HasPrefix(link, "mailto:") {
				checkLink(t, page, link)
			}
		}
	}
}

func checkLink(t *testing.T, page, link string) {
	t.Helper()
	path, anchor, _ := strings.Cut(link, "#")
	target := page
	if path != "" {
		target = filepath.Join(filepath.Dir(page), path)
	}
	text, err := os.ReadFile(target)
	if err != nil {
		if info, dirErr := os.Stat(target); dirErr == nil && info.IsDir() {
			return
		}
		t.Errorf("%s links to %s, which is not there", page, link)
		return
	}
	if anchor != "" && !slices.Contains(anchors(text), anchor) {
		t.Errorf("%s links to %s: %s has no such heading", page, link, target)
	}
}

// anchors gives the names that code hosts derive from a page's headings.
func anchors(text []byte) []string {
	var all []string
	for _, m := range mdHead.FindAllSubmatch(mdFenced.ReplaceAll(text, nil), -1) {
		slug := notSlug.ReplaceAll(bytes.ToLower(m[1]), nil)
		all = append(all, strings.ReplaceAll(string(slug), " ", "-"))
	}
	return all
}
