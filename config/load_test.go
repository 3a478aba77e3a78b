package config

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scene is a txtar file: the files of a configuration, and before them lines
// of "env NAME=VALUE", "mode FILE OCTAL" and "open" (others may enter the
// folder).
type scene struct {
	dir  string
	env  map[string]string
	arch *txtar.Archive
}

func readScene(t *testing.T, path string) scene {
	t.Helper()
	arch, err := txtar.ParseFile(path)
	must(t, err)
	s := scene{dir: t.TempDir(), env: map[string]string{}, arch: arch}
	for _, f := range arch.Files {
		if name, isFile := strings.CutSuffix(f.Name, "/"); !isFile && f.Name != "want" {
			must(t, os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o700), os.WriteFile(filepath.Join(s.dir, name), f.Data, 0o600))
		} else if isFile {
			must(t, os.MkdirAll(filepath.Join(s.dir, name), 0o700))
		}
	}
	for line := range strings.Lines(string(arch.Comment)) {
		switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "env":
			k, v, _ := strings.Cut(rest, "=")
			s.env[k] = v
		case "mode":
			name, octal, _ := strings.Cut(rest, " ")
			mode, err := strconv.ParseUint(octal, 8, 32)
			must(t, err, os.Chmod(filepath.Join(s.dir, name), os.FileMode(mode)))
		case "open":
			for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				must(t, os.Chmod(dir, 0o755))
			}
		}
	}
	return s
}

// load loads the scene's domherre.yaml.
func (s scene) load() (*Config, Problems) {
	return Load(filepath.Join(s.dir, "domherre.yaml"), Options{
		Env:       func(name string) (string, bool) { v, ok := s.env[name]; return v, ok },
		TypeNames: []string{"embedded", "rfc2136", "powerdns", "loopia"},
		Types: func(typ string, settings map[string]any) []SettingFault {
			var out []SettingFault
			for key := range settings {
				if typ == "rfc2136" && !slices.Contains([]string{"server", "key_name", "key_alg", "key"}, key) {
					out = append(out, SettingFault{Key: key, Message: "unknown setting " + key, Hint: "known are server, key_name, key_alg, key"})
				}
			}
			if typ == "rfc2136" && settings["server"] == nil {
				out = append(out, SettingFault{Key: "server", Message: "is missing", Hint: "write server: 127.0.0.1:53"})
			}
			return out
		},
		Location: time.UTC,
	})
}

// want compares got with the archive's last file, or writes it anew.
func (s scene) want(t *testing.T, path, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, s.dir+"/", "")
	i := slices.IndexFunc(s.arch.Files, func(f txtar.File) bool { return f.Name == "want" })
	if *update {
		if i < 0 {
			s.arch.Files = append(s.arch.Files, txtar.File{Name: "want"})
			i = len(s.arch.Files) - 1
		}
		s.arch.Files[i].Data = []byte(got)
		must(t, os.WriteFile(path, txtar.Format(s.arch), 0o600))
		return
	}
	if i < 0 || string(s.arch.Files[i].Data) != got {
		t.Errorf("got\n%s", got)
	}
}

// scenes runs a test for every txtar file of a folder.
func scenes(t *testing.T, dir string, run func(t *testing.T, path string, s scene)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	must(t, err)
	if len(paths) == 0 {
		t.Fatal("no scenes")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			run(t, path, readScene(t, path))
		})
	}
}

// Every bad configuration, with the exact words that people read.
func TestBad(t *testing.T) {
	t.Parallel()
	scenes(t, "bad", func(t *testing.T, path string, s scene) {
		c, problems := s.load()
		if problems == nil || problems.Err() != nil && len(c.Portfolio.Domains) > 0 {
			t.Errorf("%d problems, and %d domains", len(problems), len(c.Portfolio.Domains))
		}
		s.want(t, path, problems.Error()+"\n")
		for name, v := range s.env {
			if strings.HasPrefix(name, "SECRET") && strings.Contains(problems.Error(), v) {
				t.Errorf("a problem shows %s", name)
			}
		}
	})
}

// Good configurations, and what becomes of them.
func TestGood(t *testing.T) {
	t.Parallel()
	scenes(t, "good", func(t *testing.T, path string, s scene) {
		c, problems := s.load()
		if len(problems) > 0 {
			t.Fatalf("problems:\n%s", problems.Error())
		}
		c.Sources = Sources{}
		b, err := json.MarshalIndent((*plain)(c), "", " ")
		must(t, err)
		s.want(t, path, string(b)+"\n")
	})
}

// plain is a Config without its methods.
type plain Config
