package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"domherre/portfolio"
)

func name(t *testing.T, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	must(t, err)
	return n
}

// list writes a configuration with one domain file.
func list(t *testing.T, file, content string) (main, path string) {
	t.Helper()
	main = folder(t, map[string]string{"domherre.yaml": strings.ReplaceAll(smallConfig, "domains.txt", file), file: content})
	return main, filepath.Join(filepath.Dir(main), file)
}

func TestAddKeepsAllElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, before, after string }{
		{
			"d.yaml",
			"# top\ndomains:\n\n  # first\n  - kopasex.se   # here\n  - name: a.example\n    note: >\n      folded\n\n      text\n    # tags: []\n\n# - name: example\n",
			"# top\ndomains:\n\n  # first\n  - kopasex.se   # here\n  - name: a.example\n    note: >\n      folded\n\n      text\n    # tags: []\n  - köpasex.example\n  - name: b.test\n    frontend: https://www.duavgör.se/x\n    note: 'begärd: \"nu\"'\n\n# - name: example\n",
		},
		{"d.yaml", "domains:\r\n- kopasex.se\r\n", "domains:\r\n- kopasex.se\r\n- köpasex.example\r\n- name: b.test\r\n  frontend: https://www.duavgör.se/x\r\n  note: 'begärd: \"nu\"'\r\n"},
		{"d.yaml", "\ufeffdomains:", "\ufeffdomains:\n  - köpasex.example\n  - name: b.test\n    frontend: https://www.duavgör.se/x\n    note: 'begärd: \"nu\"'\n"},
		{"d.csv", "note;x\n", ""},
		{"d.csv", "note;domain;frontend;tags\r\n\"a\r\nb\";k\xf6pasex.test;;\r\n", "note;domain;frontend;tags\r\n\"a\r\nb\";k\xf6pasex.test;;\r\n;k\xf6pasex.example;;\r\n\"beg\xe4rd: \"\"nu\"\"\";b.test;https://www.duavg\xf6r.se/x;\r\n"},
		{"d.csv", "domain,frontend\n", ""},
		{"d.yaml", "domains: [kopasex.se]\n", ""},
	} {
		main, path := list(t, c.file, c.before)
		e, problems := PrepareAdd(main, Options{}, "", []Addition{
			{Name: name(t, "köpasex.example")}, {Name: name(t, "b.test"), Frontend: "https://www.duavgör.se/x", Note: "begärd:\n\"nu\""},
		})
		if c.after == "" {
			if problems.Err() == nil {
				t.Errorf("%q was changed to %q", c.before, e.After)
			}
			continue
		}
		if problems.Err() != nil || string(e.After) != c.after {
			t.Errorf("%v\ngot\n%q\nwant\n%q", problems, e.After, c.after)
			continue
		}
		must(t, e.Write())
		if b, err := os.ReadFile(path); err != nil || string(b) != c.after {
			t.Errorf("%v, %q was written", err, b)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, mode %v", err, info.Mode())
		}
	}
}

func TestRemoveKeepsAllElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, before, after string }{
		{
			"d.yaml",
			"domains:\n  # first\n  - kopasex.se   # here\n\n  - note: x\n    name: köpasex.example\n    dns:\n      hosts:\n        - www\n\n  # last\n  -\n    name: b.test\n  - c.test\n",
			"domains:\n  # first\n\n\n  # last\n  - c.test\n",
		},
		{"d.yaml", "domains:\n- kopasex.se\n- köpasex.example\n- b.test\n- c.test", "domains:\n- c.test\n"},
		{"d.txt", "kopasex.se # a\n# b\nköpasex.example\n\nb.test\nc.test\n", "# b\n\nc.test\n"},
		{"d.csv", "sep=;\nnote;domain\n;c.test\n\"a\nb\";kopasex.se\n\n;köpasex.example\n;b.test\n", "sep=;\nnote;domain\n;c.test\n"},
		{"d.yaml", "domains: [kopasex.se, köpasex.example, b.test, c.test]\n", ""},
		{"d.yaml", "domains:\n  - kopasex.se\n  - köpasex.example\n  - b.test\n", ""}, // none would be left
		{"d.yaml", "domains:\n  - &a {name: kopasex.se}\n  - köpasex.example\n  - b.test\n  - {<<: *a, name: c.test}\n", ""},
	} {
		main, path := list(t, c.file, c.before)
		edits, problems := PrepareRemove(main, Options{}, []portfolio.Name{name(t, "kopasex.se"), name(t, "köpasex.example"), name(t, "b.test")})
		if c.after == "" {
			if problems.Err() == nil {
				t.Errorf("%q was changed to %q", c.before, edits[0].After)
			}
			continue
		}
		if problems.Err() != nil || len(edits) != 1 || string(edits[0].After) != c.after {
			t.Errorf("%v\ngot\n%q\nwant\n%q", problems, edits, c.after)
			continue
		}
		must(t, edits[0].Write())
		if b, err := os.ReadFile(path); err != nil || string(b) != c.after {
			t.Errorf("%v, %q was written", err, b)
		}
	}
}

func TestEditsAreRefused(t *testing.T) {
	t.Parallel()
	main, path := list(t, "d.yaml", "domains:\n  - kopasex.se\n")
	if _, problems := PrepareRemove(main, Options{}, []portfolio.Name{name(t, "b.test")}); len(problems) != 1 || problems[0].Message != "b.test isn't on the list" {
		t.Errorf("got %v", problems)
	}
	if _, problems := PrepareAdd(main, Options{}, "", []Addition{{Name: name(t, "kopasex.se")}}); len(problems) != 1 || !strings.Contains(problems[0].Message, "listed twice") {
		t.Errorf("got %v", problems)
	}
	if _, problems := PrepareAdd(main, Options{}, filepath.Join(filepath.Dir(main), "gone.yaml"), []Addition{{Name: name(t, "b.test")}}); problems.Err() == nil {
		t.Error("a file that isn't there was changed")
	}
	e, problems := PrepareAdd(main, Options{}, "", []Addition{{Name: name(t, "b.test")}})
	must(t, problems.Err(), os.WriteFile(path, []byte("domains:\n  - kopasex.se\n  - c.test\n"), 0o600))
	if err := e.Write(); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("got %v", err)
	}
}

func TestWriteFollowsALink(t *testing.T) {
	t.Parallel()
	main, path := list(t, "d.txt", "kopasex.se\n")
	must(t, os.Rename(path, path+".real"), os.Symlink("d.txt.real", path))
	e, problems := PrepareAdd(main, Options{}, "", []Addition{{Name: name(t, "b.test"), Note: "x"}})
	must(t, problems.Err(), e.Write())
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
	if b, _ := os.ReadFile(path + ".real"); string(b) != "kopasex.se\nb.test # x\n" {
		t.Errorf("got %q", b)
	}
}

// What is added can be taken away again, and leaves the file as it was.
func FuzzAddRemove(f *testing.F) {
	for _, s := range []string{"domains:\n  - kopasex.se\n# x\n", "domains:\n- name: kopasex.se\n\n  note: |\n   x\n\n", "# x\ndomains:\n     - kopasex.se"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, before string) {
		main, _ := list(t, "d.yaml", before)
		n := name(t, "added.example")
		e, problems := PrepareAdd(main, Options{}, "", []Addition{{Name: n, Note: "å: #"}})
		if problems.Err() != nil {
			return
		}
		if c, problems := Load(main, Options{}); problems.Err() == nil {
			must(t, e.Write())
			with, _ := Load(main, Options{})
			if len(with.Portfolio.Domains) != len(c.Portfolio.Domains)+1 {
				t.Fatalf("%d domains, %d before", len(with.Portfolio.Domains), len(c.Portfolio.Domains))
			}
			edits, problems := PrepareRemove(main, Options{}, []portfolio.Name{n})
			must(t, problems.Err())
			if got := string(edits[0].After); got != before && got != before+"\n" && !strings.Contains(before, "\r") {
				t.Errorf("%q became %q", before, got)
			}
		}
	})
}
