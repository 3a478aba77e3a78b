package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value is something that was written: a node of a document, a variable of
// the environment, a flag, or the text of a default.
type value struct {
	l    *loader
	doc  *document
	node *yaml.Node
	path string // the keys that lead to it: "tls.issuers[0].email"
}

// scalar makes a value of a text that stands in no file.
func (l *loader) scalar(origin, path, text string) value {
	return value{
		l: l, path: path, doc: &document{file: origin, secrets: true},
		node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text},
	}
}

// fault reports an error at v. The message follows the value's path.
func (v value) fault(message, hint string) { v.report(Error, message, hint) }

// warn reports a warning at v.
func (v value) warn(message, hint string) { v.report(Warning, message, hint) }

func (v value) report(s Severity, message, hint string) {
	if v.path != "" {
		message = v.path + ": " + message
	}
	v.l.report(Problem{
		File: v.doc.file, Line: v.node.Line, Column: v.node.Column,
		Message: message, Hint: hint, Severity: s,
	})
}

// isNull reports a key without a value, as a section has whose content is all
// commented out.
func (v value) isNull() bool { return v.node.Kind == yaml.ScalarNode && v.node.Tag == "!!null" }

// child is a value below v.
func (v value) child(n *yaml.Node, path string) value {
	return value{l: v.l, doc: v.doc, node: n, path: path}
}

// key is the child at a key.
func (v value) key(k string, n *yaml.Node) value {
	if v.path == "" {
		return v.child(n, k)
	}
	return v.child(n, v.path+"."+k)
}

// kind names what v is, for faults.
func (v value) kind() string {
	switch {
	case v.node.Kind == yaml.MappingNode:
		return "a mapping"
	case v.node.Kind == yaml.SequenceNode:
		return "a list"
	case v.isNull():
		return "nothing"
	}
	return "a single value"
}

// text gives a scalar as it was written, with its secrets resolved. A false
// means that a fault was reported.
func (v value) text() (string, bool) {
	if v.node.Kind != yaml.ScalarNode {
		v.fault("takes a single value, not "+v.kind(), "")
		return "", false
	}
	if v.isNull() {
		v.fault("has no value", "write one after the colon, or leave the line out")
		return "", false
	}
	return v.expand(v.node.Value)
}

// items gives the elements of a list. A single value stands for a list of it.
func (v value) items() ([]value, bool) {
	switch {
	case v.isNull():
		return nil, true
	case v.node.Kind == yaml.MappingNode:
		v.fault("takes a list, not a mapping", "start each element with a dash")
		return nil, false
	case v.node.Kind == yaml.ScalarNode && v.node.Line == 0:
		return v.split(), true
	case v.node.Kind == yaml.ScalarNode:
		return []value{v}, true
	}
	out := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		out[i] = v.child(n, fmt.Sprintf("%s[%d]", v.path, i))
	}
	return out, true
}

// split gives the elements of a list that came by flag or variable, where
// commas stand between them.
func (v value) split() []value {
	var out []value
	for s := range strings.SplitSeq(v.node.Value, ",") {
		if s = strings.TrimSpace(s); s != "" {
			n := *v.node
			n.Value = s
			out = append(out, v.child(&n, v.path))
		}
	}
	return out
}

// firstKey gives the first key of a mapping, or "".
func (v value) firstKey() string {
	if v.node.Kind != yaml.MappingNode || len(v.node.Content) == 0 {
		return ""
	}
	return v.node.Content[0].Value
}

// pairs gives the keys and values of a mapping, in order.
func (v value) pairs() (keys []value, values []value, ok bool) {
	if v.isNull() {
		return nil, nil, true
	}
	if v.node.Kind != yaml.MappingNode {
		v.fault("takes a mapping (key: value), not "+v.kind(), "")
		return nil, nil, false
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := v.node.Content[i]
		keys = append(keys, v.child(k, v.path))
		values = append(values, v.key(k.Value, v.node.Content[i+1]))
	}
	return keys, values, true
}
