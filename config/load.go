package config

import (
	"fmt"

	"domherre/portfolio"
)

// loader is one Load: what it reads, and what it finds wrong.
type loader struct {
	options  Options
	path     string
	problems Problems
	errors   int // among problems
	sources  Sources
	secrets  secrets
	written  map[string]value // the leaves that are set, by path, wherever they come from
	config   *Config

	files   []writtenText // domains:
	dns     dnsDraft
	names   map[portfolio.Name]value // where each domain was first declared
	entries []*entry
	clash   bool // the common records were told to be at odds

	draft      *entry  // the entry being read, which entryTable fills
	entryTable []field // made once: a portfolio may have 100,000 entries
}

// Load reads the main file at path (where path is empty: the first of
// DefaultPaths that exists) and the domain files that it names.
//
// All faults of all files are found at once. Where one of them is an Error
// (Problems.Err), the Config holds nothing but Path, DomainFiles and Sources.
func Load(path string, o Options) (*Config, Problems) {
	l := &loader{
		options: o, config: &Config{}, written: map[string]value{},
		names: map[portfolio.Name]value{},
	}
	found, p := find(path)
	if p != nil {
		return &Config{Sources: missing()}, Problems{*p}
	}
	l.path, l.config.Path = found, found
	l.draft = new(entry)
	l.entryTable = entryFields(l.draft)
	l.load()
	problems := l.problems.sorted()
	for i := range problems {
		problems[i].Message = l.secrets.redact(problems[i].Message)
		problems[i].Hint = l.secrets.redact(problems[i].Hint)
	}
	l.config.Sources, l.config.redact = l.sources, l.secrets.redact
	if problems.Err() != nil {
		return &Config{Path: found, Sources: l.sources, DomainFiles: l.config.DomainFiles, redact: l.secrets.redact}, problems
	}
	return l.config, problems
}

// load runs the phases, each on what the ones before left usable.
func (l *loader) load() {
	root, ok := l.document(l.path, theConfig, true)
	if !ok {
		return
	}
	if root.node.Kind != mappingNode {
		root.fault("the config starts with "+root.kind()+", not with a key", "write campaign: on the first line; a list of domains is a file of its own")
		return
	}
	l.merge(tables(l), root)
	l.finish()
	l.domains()
	l.build()
}

// document reads and parses a YAML file.
func (l *loader) document(path, what string, secrets bool) (value, bool) {
	content, p := l.read(path, what)
	if p != nil {
		l.report(*p)
		return value{}, false
	}
	root, problems := parseYAML(path, content)
	for _, p := range problems {
		l.report(p)
	}
	if root == nil {
		if len(problems) == 0 {
			l.report(Problem{File: path, Line: 1, Column: 1, Message: what + " is empty", Hint: "was it being saved? `domherre init DIR` writes one to start from"})
		}
		return value{}, false
	}
	doc := &document{file: path, secrets: secrets, open: secrets && othersCanRead(path), root: root}
	return value{l: l, doc: doc, node: root}, true
}

// read reads a file and remembers it, whether it can be read or not.
func (l *loader) read(path, what string) ([]byte, *Problem) {
	if b, ok := l.options.Replace[absolute(path)]; ok {
		return b, nil
	}
	b, p := readFile(path, what)
	if p != nil {
		l.sources.saw(path, content{})
		return nil, p
	}
	l.sources.saw(path, contentOf(b))
	return b, nil
}

func (l *loader) report(p Problem) {
	if p.Severity == Error {
		l.errors++
	}
	l.problems = append(l.problems, p)
}

// at gives the value of a leaf, or the main file's start where it isn't set.
func (l *loader) at(path string) value {
	if v, ok := l.written[path]; ok {
		return v
	}
	v := l.scalar(l.path, path, "")
	return v
}

// isSet reports whether a leaf was written, as opposed to left at its default.
func (l *loader) isSet(path string) bool {
	v, ok := l.written[path]
	return ok && v.doc.file != defaultOrigin
}

// need reports a fault where a leaf isn't set.
func (l *loader) need(path, example string) {
	if !l.isSet(path) {
		l.at(path).fault("is missing", fmt.Sprintf("write %s", example))
	}
}
