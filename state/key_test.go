package state

import (
	"path/filepath"
	"strings"
	"testing"
)

func FuzzKey(f *testing.F) {
	for _, key := range []string{"a", "a/b", "", "..", "../x", "a/../../x", "/etc/passwd", "a//b", ".locks/x", "a\x00b", `a\..\b`, "å", "a/.", strings.Repeat("a", 300)} {
		f.Add(key)
	}
	s := &files{root: "/state"}
	f.Fuzz(func(t *testing.T, key string) {
		name, err := s.path(key)
		if (err == nil) != (ValidKey(key) == nil) {
			t.Fatalf("path(%q): %v; ValidKey: %v", key, err, ValidKey(key))
		}
		if err != nil {
			return
		}
		// The way back exists: so no two keys have one path, and none leads out.
		back, ok := strings.CutPrefix(name, "/state/")
		if !ok || back != key || filepath.Clean(name) != name || strings.Contains(name, "/.") {
			t.Errorf("%q lies at %q", key, name)
		}
	})
}

func FuzzLockFile(f *testing.F) {
	for _, name := range []string{"", ".", "..", "../x", "a/b", "A", "a", "%61", "issue_cert_*.kopasex.example", "å", strings.Repeat("a", 300), "~"} {
		f.Add(name, "a")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := lockFile(a), lockFile(b)
		if (a == b) != (x == y) {
			t.Errorf("%q and %q lock %q and %q", a, b, x, y)
		}
		if len(x) > 255 || strings.ContainsAny(x, "/\\\x00") || x == ".lock" && a != "" {
			t.Errorf("%q locks %q", a, x)
		}
	})
}
