package tls

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"domherre/tls/internalca"
)

func testGeneration(t testing.TB, names ...string) *generation {
	t.Helper()
	key, err := newKey("")
	if err != nil {
		t.Fatal(err)
	}
	csr, err := newRequest(key, names)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := internalca.New(newMemory(), slog.New(slog.DiscardHandler), time.Now).Issue(t.Context(), csr)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGeneration(meta{Issuer: internalca.Key, Domain: names[0]}, key, issued.Certificate, names)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Key types all make certificates that can be stored, read and served.
func TestKeyTypes(t *testing.T) {
	t.Parallel()
	for _, kind := range append(keyTypes, "") {
		key, err := newKey(kind)
		if err != nil {
			t.Fatal(err)
		}
		csr, err := newRequest(key, []string{"kopasex.se"})
		if err != nil {
			t.Fatal(err)
		}
		issued, err := internalca.New(newMemory(), slog.New(slog.DiscardHandler), time.Now).Issue(t.Context(), csr)
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGeneration(meta{}, key, issued.Certificate, []string{"kopasex.se"})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		value, err := g.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeGeneration(1, value)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if _, err := (&Manager{}).served(back, nil).certificate(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A certificate that isn't what was asked for is refused before it is stored.
func TestUnusableCertificates(t *testing.T) {
	t.Parallel()
	good, other := testGeneration(t, "kopasex.se"), testGeneration(t, "kopasex.se")
	key, err := parseKey(other.key)
	if err != nil {
		t.Fatal(err)
	}
	value, err := good.encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newGeneration(meta{}, key, value, []string{"kopasex.se"}); err == nil {
		t.Error("another key's certificate was taken")
	}
	key, err = parseKey(good.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newGeneration(meta{}, key, value, []string{"www.kopasex.se"}); err == nil {
		t.Error("a certificate without the name was taken")
	}
	if _, err := newGeneration(meta{}, key, nil, []string{"kopasex.se"}); err == nil {
		t.Error("no certificate was taken")
	}
	good.key = other.key
	if value, err = good.encode(); err != nil {
		t.Fatal(err)
	}
	if _, err := decodeGeneration(1, value); err == nil {
		t.Error("a torn pair under a good seal was taken")
	}
}

func FuzzDecodeGeneration(f *testing.F) {
	value, err := testGeneration(f, "kopasex.se").encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(value[:len(value)-1])
	f.Add([]byte(genHeader + "{}\n" + genTrailer))
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, err := decodeGeneration(1, data); err == nil {
			again, err := g.encode()
			if err != nil || !bytes.HasPrefix(again, []byte(genHeader)) {
				t.Errorf("what was read can't be written: %v", err)
			}
		}
	})
}

func TestCovers(t *testing.T) {
	t.Parallel()
	names := []string{"kopasex.se", "*.www.kopasex.se"}
	for name, want := range map[string]bool{
		"kopasex.se": true, "www.kopasex.se": false, "a.www.kopasex.se": true, "a.b.www.kopasex.se": false,
		"*.www.kopasex.se": true, "*.kopasex.se": false, "notkopasex.se": false, "se": false, "": false,
	} {
		if covers(names, name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

// More names than fit on one certificate get several.
func TestManyNames(t *testing.T) {
	t.Parallel()
	m, err := New(Options{Storage: newMemory(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := Subject{Domain: "kopasex.se"}
	for i := range 150 {
		s.Names = append(s.Names, string(rune('a'+i%26))+string(rune('a'+i/26))+".kopasex.se")
	}
	s.Names = append(s.Names, s.Names[0])
	m.Manage([]Subject{s})
	es := m.Inventory()
	if len(es) != 2 || len(es[0].Names)+len(es[1].Names) != 150 {
		t.Errorf("%d entries", len(es))
	}
}
