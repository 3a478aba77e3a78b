package config

import (
	"path/filepath"
	"strings"

	"domherre/portfolio"
)

// ReadTable reads a CSV file, such as a spreadsheet saves it, for adding its
// domains to the list. Its faults are those of a domain file.
func ReadTable(path string, o Options) ([]Addition, Problems) {
	l := &loader{options: o, path: path, config: &Config{}, written: map[string]value{}, names: map[portfolio.Name]value{}}
	l.draft = new(entry)
	l.entryTable = entryFields(l.draft)
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".txt" {
		l.plainFile(path)
	} else {
		l.tableFile(path)
	}
	if l.errors == 0 && len(l.entries) == 0 {
		l.report(Problem{File: path, Line: 1, Column: 1, Message: "the file lists no domain", Hint: "write a header line with domain, and a domain a line below it"})
	}
	if l.errors > 0 {
		return nil, l.problems.sorted()
	}
	add := make([]Addition, 0, len(l.entries))
	for _, e := range l.entries {
		written := func(column string) string { return strings.TrimSpace(e.has[column].nodeValue()) }
		add = append(add, Addition{
			Name: e.parsed, Frontend: written("frontend"), Provider: e.provider, Note: e.note, Owner: e.owner, Tags: e.tags,
			Registrar: e.registrar, Expires: written("expires"), Launch: written("launch"), Paused: e.paused,
		})
	}
	return add, l.problems.sorted()
}

// nodeValue is the text of a value that was written; empty for the zero value.
func (v value) nodeValue() string {
	if v.node == nil {
		return ""
	}
	return v.node.Value
}
