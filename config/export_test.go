package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestExportedTableReadsBackTheSame(t *testing.T) {
	t.Parallel()
	text := "\ufeffdomain,frontend,provider,note,owner,tags,registrar,expires,launch,paused\n" +
		"köpasex.example,,,\"begärd: \"\"nu\"\", av; Umeå\",Länsstyrelsen,\"a, b\",Loopia,2027-03-01,2027-01-01,true\n" +
		"kopasex.se,https://www.duavgör.se/stockholm,,,,,,,,\n"
	main, _ := list(t, "d.csv", text)
	c, problems := Load(main, Options{})
	must(t, problems.Err())
	var b bytes.Buffer
	must(t, c.Export(&b, ','))
	if b.String() != text {
		t.Errorf("got\n%s\nwant\n%s", b.String(), text)
	}
	b.Reset()
	must(t, c.Export(&b, ';'))
	path := filepath.Join(t.TempDir(), "export.csv")
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
	add, problems := ReadTable(path, Options{})
	must(t, problems.Err())
	for _, file := range []string{"other.yaml", "other.csv"} {
		head := map[string]string{"other.yaml": "domains:\n  - a.example\n", "other.csv": "domain,frontend,provider,note,owner,tags,registrar,expires,launch,paused\na.example,,,,,,,,,\n"}[file]
		main, _ := list(t, file, head)
		e, problems := PrepareAdd(main, Options{}, "", add)
		must(t, problems.Err())
		must(t, e.Write())
		c, problems := Load(main, Options{})
		must(t, problems.Err())
		b.Reset()
		c.Portfolio.Domains = c.Portfolio.Domains[1:]
		must(t, c.Export(&b, ','))
		if b.String() != text {
			t.Errorf("%s: got\n%s\nwant\n%s\nfrom\n%s", file, b.String(), text, e.After)
		}
	}
}

func TestReadTableTellsFaults(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.csv")
	for content, want := range map[string]string{
		"":                               path + ":1:1: ",
		"domain\n":                       path + ":1:1: the file lists no domain",
		"domain\nse\nkopasex.se\n":       path + ":2:1: ",
		"domain\na.example\nA.example\n": path + ":3:1: a.example is listed twice",
	} {
		must(t, os.WriteFile(path, []byte(content), 0o600))
		add, problems := ReadTable(path, Options{})
		if len(add) != 0 || len(problems) == 0 || !bytes.HasPrefix([]byte(problems[0].String()), []byte(want)) {
			t.Errorf("%q: got %v, %v, want %s", content, add, problems, want)
		}
	}
	if _, problems := ReadTable(filepath.Join(t.TempDir(), "gone.csv"), Options{}); problems.Err() == nil {
		t.Error("a missing file is no fault")
	}
}

func TestAddRefusesWhatTheFileCannotHold(t *testing.T) {
	t.Parallel()
	main, path := list(t, "d.txt", "kopasex.se\n")
	for _, a := range []Addition{{Frontend: "https://www.duavgör.se/x"}, {Paused: true}} {
		a.Name = name(t, "b.test")
		if _, problems := PrepareAdd(main, Options{}, "", []Addition{a}); problems.Err() == nil {
			t.Errorf("%+v was written to a list of bare names", a)
		}
	}
	other := filepath.Join(filepath.Dir(path), "other.txt")
	must(t, os.WriteFile(other, []byte("a.example\n"), 0o600))
	if _, problems := PrepareAdd(main, Options{}, other, []Addition{{Name: name(t, "b.test")}}); problems.Err() == nil {
		t.Error("a file that nobody reads was changed")
	}
}
