package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
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
	content = hideBraces(hideVersion(content))
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
	showBraces(&doc)
	r := resolver{file: file, open: map[*yaml.Node]bool{}, sizes: map[*yaml.Node]int{}}
	root, size := r.resolve(doc.Content[0])
	if size > maxNodes {
		r.fault(root, "the aliases of this file grow too large", "write the values out")
		return nil, r.problems
	}
	return root, r.problems
}

// version is the line that a YAML file may begin with. The library refuses 1.2,
// which it reads.
var version = regexp.MustCompile(`\A(?:[ \t]*(?:#[^\n]*)?\n)*%YAML[ \t]+1\.[0-9]+[ \t]*(?:#[^\n]*)?\r?\n`)

// hideVersion makes a comment of the line that names YAML's version.
func hideVersion(content []byte) []byte {
	head := version.Find(content)
	if head == nil {
		return content
	}
	at := bytes.LastIndexByte(head, '%')
	return slices.Concat(content[:at], []byte("#"), content[at+1:])
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
	if line, column, message := secondOpinion(content, m[2]); line > 0 {
		p.Line, p.Column, p.Message = line, column, "broken YAML: "+message
	}
	line := lineAt(content, p.Line)
	if p.Column == 0 {
		p.Column = max(indentOf(line), 0) + 1
	}
	p.Hint = syntaxHint(p.Message, strings.TrimSpace(line))
	return p
}

// The second parser takes time by the square of what it reads, and more where
// it is deeply nested: what is beyond a file that people write isn't put to it.
const (
	maxSecondOpinion = 64 << 10
	maxNested        = 500
)

// secondOpinion gives the place of a syntax error and says what it is, where
// first is what the first parser said. A line of 0 means that it finds none.
func secondOpinion(content []byte, first string) (line, column int, message string) {
	if len(content) > maxSecondOpinion || strings.Contains(first, "max depth") || bytes.Count(content, []byte("["))+bytes.Count(content, []byte("{")) > maxNested {
		return 0, 0, ""
	}
	_, err := goccyparser.ParseBytes(content, 0)
	var at goccy.Error
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		return 0, 0, ""
	}
	return at.GetToken().Position.Line, at.GetToken().Position.Column, at.GetMessage()
}

func lineAt(content []byte, n int) string {
	lines := bytes.Split(content, []byte("\n"))
	if n < 1 || n > len(lines) {
		return ""
	}
	return string(lines[n-1])
}

// unquotedStar is a name such as * that YAML takes for an alias.
var unquotedStar = regexp.MustCompile(`[\[,:-]\s*\*\s*(?:[\],]|$)`)

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
	case strings.Contains(message, "reserved character") || strings.Contains(message, "alphabetic or numeric") || strings.Contains(message, "unknown anchor") || unquotedStar.MatchString(line):
		return `put "@", "*" and "%" at the start of a value in quotes`
	case strings.Contains(message, "mapping value") && strings.Count(line, ": ") > 1:
		return `put text that holds ": " in quotes`
	case line != "" && line[0] != '-' && !strings.Contains(line, ":"):
		return "does the line begin with a dash and a space, as far in as those around it?"
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
