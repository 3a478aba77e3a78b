package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

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
