package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	goccy "github.com/goccy/go-yaml"
	goccyparser "github.com/goccy/go-yaml/parser"
	"go.yaml.in/yaml/v3"
)

// maxNodes bounds a document once its aliases are written out, so that a
// handful of nested ones can't grow without end.
const maxNodes = 5_000_000

// document is one YAML file, parsed.
type document struct {
	file    string
	secrets bool       // ${env:…} and ${file:…} are resolved in it
	open    bool       // others can read it
	root    *yaml.Node // without aliases and merges; nil for an empty file
}

// parseYAML parses a file of one YAML document. The faults are those of the
// notation: encoding, syntax, keys that stand twice, further documents.
func parseYAML(file string, content []byte) (*yaml.Node, Problems) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if p := notUTF8(file, content); p != nil {
		return nil, Problems{*p}
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, Problems{syntaxFault(file, content, err)}
	}
	if err := dec.Decode(&second); err == nil {
		return nil, Problems{{
			File: file, Line: second.Line, Column: second.Column,
			Message: "a second YAML document starts here", Hint: "keep one in this file; `---` separates documents",
		}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Problems{syntaxFault(file, content, err)}
	}
	r := resolver{file: file, open: map[*yaml.Node]bool{}, sizes: map[*yaml.Node]int{}}
	root, size := r.resolve(doc.Content[0])
	if size > maxNodes {
		r.fault(root, "the aliases of this file grow too large", "write the values out")
		return nil, r.problems
	}
	return root, r.problems
}

// notUTF8 finds the first octet that is no UTF-8.
func notUTF8(file string, content []byte) *Problem {
	if utf8.Valid(content) {
		return nil
	}
	line, column := 1, 1
	for len(content) > 0 {
		r, size := utf8.DecodeRune(content)
		if r == utf8.RuneError && size == 1 {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		content = content[size:]
	}
	return &Problem{
		File: file, Line: line, Column: column,
		Message: fmt.Sprintf("the file isn't UTF-8 (octet 0x%02X)", content[0]),
		Hint:    "save it as UTF-8 in the editor's 'Save as' dialogue",
	}
}

var errorLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// syntaxFault tells where the notation breaks. The YAML library knows the
// line alone; a second parser is asked for the column.
func syntaxFault(file string, content []byte, err error) Problem {
	m := errorLine.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
	p := Problem{File: file, Line: 1, Message: "broken YAML: " + m[2]}
	if m[1] != "" {
		p.Line, _ = strconv.Atoi(m[1])
	}
	if line, column := tabIndent(content); line > 0 && line <= p.Line+1 {
		p.Line, p.Column = line, column
		p.Message = "broken YAML: a tab indents this line"
		p.Hint = "indent with spaces"
		return p
	}
	_, err = goccyparser.ParseBytes(content, 0)
	var at goccy.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		p.Line, p.Column = at.GetToken().Position.Line, at.GetToken().Position.Column
		p.Message = "broken YAML: " + at.GetMessage()
	}
	p.Hint = syntaxHint(p.Message, lineAt(content, p.Line))
	return p
}

func lineAt(content []byte, n int) string {
	lines := bytes.Split(content, []byte("\n"))
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(string(lines[n-1]))
}

// syntaxHint guesses the slip behind a message of the parsers.
func syntaxHint(message, line string) string {
	switch {
	case len(line) > 1 && line[0] == '-' && line[1] != ' ' && line[1] != '-':
		return "write a space after the dash"
	case strings.Contains(message, "quoted"):
		return "close the quotes that open here"
	case strings.Contains(message, "']'"):
		return "close the bracket [ that opens before this"
	case strings.Contains(message, "'}'"):
		return "close the brace { that opens before this"
	case strings.Contains(message, "reserved character") || strings.Contains(message, "alphabetic or numeric") || strings.Contains(message, "unknown anchor"):
		return `put "@", "*" and "%" at the start of a value in quotes`
	}
	return "is the line indented as far as those around it?"
}

// tabIndent finds the first line that starts with a tab.
func tabIndent(content []byte) (line, column int) {
	for i, l := range bytes.Split(content, []byte("\n")) {
		indent := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 && len(indent) < len(bytes.TrimRight(l, "\r")) {
			return i + 1, tab + 1
		}
	}
	return 0, 0
}

// resolver puts the anchored nodes in the place of their aliases, merges what
// "<<" names, and finds double keys.
type resolver struct {
	file     string
	open     map[*yaml.Node]bool // anchored nodes being resolved, to stop at loops
	sizes    map[*yaml.Node]int  // of anchored nodes, resolved
	problems Problems
}

func (r *resolver) fault(n *yaml.Node, message, hint string) {
	r.problems = append(r.problems, Problem{File: r.file, Line: n.Line, Column: n.Column, Message: message, Hint: hint})
}

// resolve changes n in place and gives what stands for it, with the number of
// nodes that a walk through it meets. A fault gives a null.
func (r *resolver) resolve(n *yaml.Node) (*yaml.Node, int) {
	null := func() (*yaml.Node, int) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}, 1
	}
	if n.Kind == yaml.AliasNode {
		if r.open[n.Alias] {
			r.fault(n, fmt.Sprintf("&%s holds itself", n.Value), "")
			return null()
		}
		return n.Alias, r.sizes[n.Alias]
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.fault(n, fmt.Sprintf("the YAML tag %s isn't understood", n.Tag), "leave it out")
		return null()
	}
	if n.Anchor != "" {
		r.open[n] = true
		defer delete(r.open, n)
	}
	size := 1
	switch n.Kind {
	case yaml.SequenceNode:
		for i, c := range n.Content {
			resolved, more := r.resolve(c)
			n.Content[i], size = resolved, bounded(size+more)
		}
	case yaml.MappingNode:
		size = r.pairs(n)
	}
	if n.Anchor != "" {
		r.sizes[n] = size
	}
	return n, size
}

// bounded stops the count where it has become too large in any case, before
// it overflows.
func bounded(size int) int { return min(size, maxNodes+1) }

// pairs resolves a mapping: its own keys, then those merged in by "<<".
func (r *resolver) pairs(n *yaml.Node) (size int) {
	var merged []*yaml.Node
	out := n.Content[:0:len(n.Content)]
	seen := keySet{many: len(n.Content) > 64}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		v, more := r.resolve(n.Content[i+1])
		size = bounded(size + more + 1)
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		switch first := seen.find(out, k.Value); {
		case k.Kind != yaml.ScalarNode:
			r.fault(k, "a key is a word, not a list or a mapping", "")
		case k.Tag == "!!merge":
			merged = append(merged, r.mergeable(v)...)
		case first != nil:
			r.fault(k, fmt.Sprintf("%s stands here twice (first at %s:%d:%d)", k.Value, r.file, first.Line, first.Column), "keep one of them")
		default:
			out = append(out, k, v)
			seen.add(k)
		}
	}
	for i := 0; i+1 < len(merged); i += 2 {
		if k := merged[i]; seen.find(out, k.Value) == nil {
			out = append(out, k, merged[i+1])
			seen.add(k)
		}
	}
	n.Content = out
	return size + 1
}

// keySet finds keys among the pairs of a mapping: small ones by looking at
// each, others by a map.
type keySet struct {
	many  bool
	index map[string]*yaml.Node
}

func (s *keySet) add(k *yaml.Node) {
	if s.many && s.index == nil {
		s.index = map[string]*yaml.Node{}
	}
	if s.many {
		s.index[k.Value] = k
	}
}

func (s *keySet) find(pairs []*yaml.Node, key string) *yaml.Node {
	if s.many {
		return s.index[key]
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].Value == key {
			return pairs[i]
		}
	}
	return nil
}

// mergeable gives the pairs of a "<<" value: a mapping, or a list of them.
func (r *resolver) mergeable(v *yaml.Node) []*yaml.Node {
	switch v.Kind {
	case yaml.MappingNode:
		return v.Content
	case yaml.SequenceNode:
		var out []*yaml.Node
		for _, c := range v.Content {
			if c.Kind != yaml.MappingNode {
				r.fault(c, "<< takes mappings", "")
				continue
			}
			out = append(out, c.Content...)
		}
		return out
	}
	r.fault(v, "<< takes a mapping", "")
	return nil
}
