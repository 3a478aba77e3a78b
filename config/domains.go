package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// domains reads every domain file.
func (l *loader) domains() {
	seen := map[string]bool{}
	for _, f := range l.files {
		for _, path := range l.matches(f) {
			real := canonicalPath(path)
			if seen[real] {
				_, _ = l.read(path, theDomainFile) // for the watch; its domains are known
				continue
			}
			seen[real] = true
			l.domainFile(f, path)
		}
	}
}

// canonicalPath is one name for a file, however it is reached.
func canonicalPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return absolute(path)
}

// extensions of domain files.
var extensions = []string{".yaml", ".yml", ".csv", ".txt"}

// matches gives the files of an element of domains:, sorted.
func (l *loader) matches(f writtenText) []string {
	if strings.TrimSpace(f.s) == "" {
		f.fault("names no file", "")
		return nil
	}
	path := l.relative(f.s)
	if !strings.ContainsAny(f.s, "*?[") {
		return []string{path}
	}
	l.sources.glob(path)
	found, err := match(path)
	if err != nil {
		f.fault(fmt.Sprintf("%q is no pattern", f.s), "write one such as domains/*.yaml")
		return nil
	}
	found = slices.DeleteFunc(found, func(p string) bool { return canonicalPath(p) == canonicalPath(l.path) })
	if len(found) == 0 {
		f.fault(fmt.Sprintf("no file matches %s", f.s), "")
	}
	return found
}

// domainFile reads one domain file in the form that its ending tells.
func (l *loader) domainFile(f writtenText, path string) {
	ext := strings.ToLower(filepath.Ext(path))
	l.sources.file(path) // whatever stands there now: it may be mended
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		f.fault(fmt.Sprintf("%s is a folder", path), "write "+filepath.Join(f.s, "*.yaml"))
		return
	case canonicalPath(path) == canonicalPath(l.path):
		f.fault("names this file itself", "write the domains in a file of their own, such as domains.yaml")
		return
	case !slices.Contains(extensions, ext):
		f.fault(fmt.Sprintf("%s is no domain file", path), "its name ends in .yaml, .csv or .txt; domains themselves are written in such a file")
		return
	case errors.Is(err, fs.ErrNotExist):
		f.fault(fmt.Sprintf("no domain file at %s", path), "`domherre init` writes one to start from")
		return
	}
	l.config.DomainFiles = append(l.config.DomainFiles, path)
	before, wrong := len(l.entries), l.errors
	switch ext {
	case ".txt":
		l.plainFile(path)
	case ".csv":
		l.tableFile(path)
	default:
		l.yamlFile(path)
	}
	if len(l.entries) == before && l.errors == wrong {
		l.report(Problem{
			File: path, Line: 1, Column: 1, Message: "the file lists no domain",
			Hint: "was it being saved? A file that shall be empty is taken out of domains: instead",
		})
	}
}

// yamlFile reads a list under domains:.
func (l *loader) yamlFile(path string) {
	root, ok := l.document(path, theDomainFile, false)
	if !ok {
		return
	}
	if root.node.Kind != yaml.MappingNode {
		root.fault("the file starts with "+root.kind()+", not with domains:", "write domains: on the first line, and the list below it")
		return
	}
	root.mapping([]field{leaf("domains", kind{read: func(v value) {
		items, _ := v.items()
		for _, item := range items {
			item.path = ""
			l.yamlEntry(item)
		}
	}}, "", "")})
	if !root.has("domains") && len(root.node.Content) == 0 {
		root.fault("domains: is missing", "write domains: on the first line, and the list below it")
	}
}

// yamlEntry reads an element of the list: a name, or a mapping.
func (l *loader) yamlEntry(v value) {
	*l.draft = l.newEntry()
	e := l.draft
	e.at = v
	if v.node.Kind == yaml.ScalarNode {
		name, ok := v.text()
		switch e.name = name; {
		case !ok:
		case len(strings.Fields(name)) > 1:
			v.fault(fmt.Sprintf("%q is more than a name", name), "write each domain on a line of its own: a dash, a space, the name")
		default:
			l.accept(*e)
		}
		return
	}
	if v.node.Kind != yaml.MappingNode {
		v.fault("takes a name or a mapping, not "+v.kind(), "write - kopasex.se, or - name: kopasex.se")
		return
	}
	if key := v.firstKey(); strings.Contains(key, ".") && !v.has("name") {
		v.fault(fmt.Sprintf("%s stands before a colon", key), fmt.Sprintf("write - %s, or - name: %s and what belongs to it below, indented as far as name", key, key))
		return
	}
	v.walk(l.entryTable, func(f field, got value) {
		e.remember(got)
		f.kind.read(got)
	})
	at, named := e.says("name")
	switch {
	case !named:
		v.fault("name is missing", "write - name: kopasex.se")
	case e.name != "":
		at.path = ""
		e.at = at
		l.accept(*e)
	}
}

// cell makes the value of one field of a file that isn't YAML.
func (l *loader) cell(path, key, s string, line, column int) value {
	return value{
		l: l, path: key, doc: &document{file: path},
		node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Line: line, Column: column},
	}
}

// plainFile reads one name per line; # starts a comment.
func (l *loader) plainFile(path string) {
	content, ok := l.tableText(path)
	if !ok {
		return
	}
	line := 0
	for s := range strings.SplitSeq(content, "\n") {
		line++
		s, _, _ = strings.Cut(s, "#")
		name := strings.TrimSpace(s)
		if name == "" {
			continue
		}
		e := l.newEntry()
		column := len([]rune(s[:strings.Index(s, name)])) + 1
		e.at = l.cell(path, "", name, line, column)
		if e.name = name; len(strings.Fields(name)) > 1 {
			e.at.fault(fmt.Sprintf("%q is more than a name", name), "write one name a line; # starts a comment")
			continue
		}
		l.accept(e)
	}
}
