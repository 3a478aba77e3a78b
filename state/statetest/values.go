package statetest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"domherre/state"
)

func testValues(t *testing.T, location string) {
	s, other := open(t, location), open(t, location)
	const key = "certificates/ca/xn--kpasex-wxa.example/xn--kpasex-wxa.example.crt"
	wantMissing(t, s, key)
	must(t, s.Delete(t.Context(), key))
	for _, value := range []string{"one", "", strings.Repeat("långt\x00\n", 100_000), "two"} {
		before := time.Now().Add(-time.Minute)
		must(t, s.Store(t.Context(), key, []byte(value)))
		wantValue(t, s, key, value)
		wantValue(t, other, key, value)
		info, err := other.Stat(t.Context(), key)
		must(t, err)
		if info.Key != key || !info.IsTerminal || info.Size != int64(len(value)) || info.Modified.Before(before) {
			t.Errorf("Stat = %+v after writing %d octets", info, len(value))
		}
	}
	must(t, other.Delete(t.Context(), key))
	wantMissing(t, s, key)
	must(t, s.Probe(t.Context()))
}

func testKeys(t *testing.T, location string) {
	s := open(t, location)
	for _, key := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "a/..", "../a", "a/../b", "a/./b", ".locks/x", "a/.b", "a\x00b",
		"a\nb", `a\b`, "köpasex.example", strings.Repeat("a", 201), strings.Repeat("a/", 600) + "a",
	} {
		var bad *state.KeyError
		if err := s.Store(t.Context(), key, nil); !errors.As(err, &bad) {
			t.Errorf("Store(%.40q): %v; want a KeyError", key, err)
		}
		if _, err := s.Load(t.Context(), key); !errors.As(err, &bad) {
			t.Errorf("Load(%.40q): %v; want a KeyError", key, err)
		}
		if err := s.Delete(t.Context(), key); !errors.As(err, &bad) {
			t.Errorf("Delete(%.40q): %v; want a KeyError", key, err)
		}
		if s.Exists(t.Context(), key) {
			t.Errorf("Exists(%.40q)", key)
		}
	}
	// What certmagic and we ourselves use.
	keys := []string{
		"a", "A", "wildcard_.kopasex.example/wildcard_.kopasex.example.key", "acme/ca.example-443-dir/users/ops@kopasex.example/ops.json",
		"dns/zones/xn--duavgr-0xa.example.json", "_x", "-x", "x y", "x*", "x:y", "x.", strings.Repeat("a", 200), strings.Repeat("b/", 60) + "b",
	}
	for _, key := range keys {
		must(t, s.Store(t.Context(), key, []byte(key)))
	}
	for _, key := range keys {
		wantValue(t, s, key, key)
	}
}

func testFolders(t *testing.T, location string) {
	s := open(t, location)
	must(t, s.Store(t.Context(), "a/b/c", []byte("1")))
	must(t, s.Store(t.Context(), "a/b/d", []byte("2")))
	must(t, s.Store(t.Context(), "ab/c", []byte("3")))
	for _, folder := range []string{"a", "a/b"} {
		info, err := s.Stat(t.Context(), folder)
		if err != nil || info.IsTerminal || info.Key != folder || !s.Exists(t.Context(), folder) {
			t.Errorf("folder %q: %+v, %v", folder, info, err)
		}
		if _, err := s.Load(t.Context(), folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load of a folder: %v; want fs.ErrNotExist", err)
		}
	}
	wantMissing(t, s, "a/b/c/d") // below a file
	must(t, s.Delete(t.Context(), "a/b/c/d"))
	must(t, s.Delete(t.Context(), "a/b/c"))
	wantValue(t, s, "a/b/d", "2")
	must(t, s.Delete(t.Context(), "a/b/d"))
	wantMissing(t, s, "a") // folders are there by what is in them alone
	must(t, s.Store(t.Context(), "a/b/c", []byte("4")))
	must(t, s.Delete(t.Context(), "a"))
	wantMissing(t, s, "a")
	wantValue(t, s, "ab/c", "3")
}

func testList(t *testing.T, location string) {
	s := open(t, location)
	if keys, err := s.List(t.Context(), "", true); err != nil || len(keys) != 0 {
		t.Errorf("List of an empty state: %v, %v", keys, err)
	}
	for _, key := range []string{"a/x", "a/b/y", "a/b/c/z", "ab/n", "m"} {
		must(t, s.Store(t.Context(), key, nil))
	}
	for _, test := range []struct {
		prefix    string
		recursive bool
		want      []string
	}{
		{"", false, []string{"a", "ab", "m"}},
		{"", true, []string{"a", "a/b", "a/b/c", "a/b/c/z", "a/b/y", "a/x", "ab", "ab/n", "m"}},
		{"a", false, []string{"a/b", "a/x"}},
		{"a", true, []string{"a/b", "a/b/c", "a/b/c/z", "a/b/y", "a/x"}},
		{"a/b/c", false, []string{"a/b/c/z"}},
		{"m", true, nil},
	} {
		got, err := s.List(t.Context(), test.prefix, test.recursive)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("List(%q, %v) = %q, %v; want %q", test.prefix, test.recursive, got, err, test.want)
		}
	}
	wantMissing(t, s, "b")
}
