package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzFile loads a configuration whose domain file holds what is tried, and
// checks what holds of every outcome.
func fuzzFile(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		main := filepath.Join(dir, "domherre.yaml")
		must(t, os.WriteFile(main, []byte(strings.ReplaceAll(smallConfig, "domains.txt", name)), 0o600))
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
		c, problems := Load(main, Options{})
		if (problems.Err() == nil) != (len(c.Portfolio.Domains) > 0) {
			t.Errorf("%d domains, %v", len(c.Portfolio.Domains), problems)
		}
		lines := 1 + strings.Count(strings.ReplaceAll(string(content), "\r", "\n"), "\n")
		for _, p := range problems {
			if p.Line > lines+1 || p.Line < 0 || p.Column < 0 || p.Message == "" || !utf8.ValidString(p.Message) {
				t.Errorf("%+v in %d lines", p, lines)
			}
		}
		seen := map[string]bool{}
		for _, d := range c.Portfolio.Domains {
			if seen[d.Name.ASCII()] || d.Source.Line < 1 || d.Source.Line > lines || d.Source.Column < 1 {
				t.Errorf("%s at %+v", d.Name, d.Source)
			}
			seen[d.Name.ASCII()] = true
		}
	})
}

func FuzzDomainsCSV(f *testing.F) {
	for _, s := range []string{
		"domain,note\nkopasex.se,x\n", "\ufeffdomain;paused\r\nk\xf6pasex.example;ja\r\n", "sep=;\ndomain\tlaunch\n", "domain\n\"a\nb\".se\n",
		"domain\r\rkopasex.se", "\"domain\n", ";;;\n", "\xff\xfe", "domain,,\nkopasex.se,,x\n", "domain;note\n\"\xf6\";\"\"\"\n",
	} {
		f.Add([]byte(s))
	}
	fuzzFile(f, "d.csv")
}

func FuzzDomainsTXT(f *testing.F) {
	for _, s := range []string{"kopasex.se\n", "# x\n\tköpasex.example # y\r\n", "a b\n", "\xf6.se\r", "\ufeff"} {
		f.Add([]byte(s))
	}
	fuzzFile(f, "d.txt")
}

func FuzzDomainsYAML(f *testing.F) {
	for _, s := range []string{
		"domains:\n  - kopasex.se\n", "domains:\n  - {name: köpasex.example, dns: {hosts: [\"@\"], records: [{name: a, type: A, data: [192.0.2.1]}]}}\n",
		"domains: [&a {name: a.se}, {<<: *a, name: b.se}]\n", "domains: &a [*a]\n", "---\n---\n", "domains:\n\t- x", "? [a]\n: b\n", "domains: !!map {}\n",
		"<<: [{domains: [kopasex.se]}, x]\n", "domains:\n  - name: a.se\n    redirect: {tags: {x: \"{host}\"}, hsts: 1w}\n    launch: 2027-01-01\n", "domains: *x\n", "&a *a : b",
	} {
		f.Add([]byte(s))
	}
	fuzzFile(f, "d.yaml")
}

// FuzzMain tries main files.
func FuzzMain(f *testing.F) {
	for _, s := range []string{smallConfig, smallConfig + "listen: &l {http: off}\nadmin: *l\n", "providers: {a: {type: x, y: [1, {z: 2.5}]}}\n", "dns: {caa: [], hosts: []}\ntls: {issuers: [{}]}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		main := filepath.Join(dir, "domherre.yaml")
		must(t, os.WriteFile(main, content, 0o600), os.WriteFile(filepath.Join(dir, "domains.txt"), []byte("kopasex.se\n"), 0o600))
		_, problems := Load(main, Options{Env: env(nil)})
		for _, p := range problems {
			if p.Message == "" || p.File == "" || !utf8.ValidString(p.Message) {
				t.Errorf("%+v", p)
			}
		}
	})
}
