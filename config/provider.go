package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const mappingNode = yaml.MappingNode

// providers reads the mapping of providers in the order that it is written.
func providers(dst *[]Provider) kind {
	element := objectSchema(providerFields(&Provider{}))
	element["additionalProperties"] = true
	element["required"] = []string{"type"}
	s := schema{"type": "object", "additionalProperties": element}
	return kind{schema: s, read: func(v value) {
		keys, values, _ := v.pairs()
		for i, k := range keys {
			if strings.TrimSpace(k.node.Value) == "" {
				k.fault("a provider has no name", "")
				continue
			}
			*dst = append(*dst, provider(k, values[i]))
		}
	}}
}

// providerFields are the keys that every type has.
func providerFields(p *Provider) []field {
	return []field{
		leaf("type", text(&p.Type), "", "A type of `domherre providers`, such as rfc2136."),
		leaf("nameservers", listOf(&p.Nameservers, schema{"type": "string"}, nameserver), "", "What the registrar should delegate to: NAME, or NAME=ADDRESS:PORT where it can't be looked up."),
		section("limits", "How hard the provider may be asked. Each type has its own defaults.",
			leaf("concurrency", optional(&p.Limits.Concurrency, func(n *int) kind { return whole(n, 1, 1000) }), "", "Calls at the same time."),
			leaf("requests_per_second", optional(&p.Limits.RequestsPerSecond, number), "", "Calls per second."),
			leaf("timeout", optional(&p.Limits.Timeout, func(d *time.Duration) kind { return duration(d, time.Millisecond) }), "", "Longest time for one call."),
			leaf("retries", optional(&p.Limits.Retries, func(n *int) kind { return whole(n, 0, 100) }), "", "Further tries where one can help."),
		),
	}
}

// provider reads one provider; what isn't a key of every type is a setting of
// its own.
func provider(key, v value) Provider {
	p := Provider{Name: key.node.Value, Settings: Settings{}}
	fields := providerFields(&p)
	keys, values, ok := v.pairs()
	if !ok {
		return p
	}
	places := map[string]value{"": key}
	told := map[string]bool{} // keys whose fault is reported already
	before := v.l.errors
	for i, k := range keys {
		name := k.node.Value
		places[name] = values[i]
		errors := v.l.errors
		f, known := lookup(fields, name)
		switch {
		case !known:
			p.Settings[name] = values[i].setting(name)
		case f.sub != nil:
			values[i].mapping(f.sub)
		default:
			f.kind.read(values[i])
		}
		told[name] = v.l.errors > errors
	}
	if p.Type == "" {
		if _, written := places["type"]; !written {
			key.child(key.node, v.path).fault("type is missing", "`domherre providers` lists the types")
		}
		return p
	}
	if v.l.errors == before {
		p.checkNameservers(key.child(key.node, v.path))
	}
	if v.l.checkType(p, places["type"]) {
		v.l.checkSettings(p, key.child(key.node, v.path), places, told)
	}
	return p
}

// checkType reports a type that isn't among Options.TypeNames.
func (l *loader) checkType(p Provider, at value) bool {
	known := l.options.TypeNames
	if len(known) == 0 || slices.Contains(known, p.Type) {
		return true
	}
	hint := didYouMean(p.Type, known)
	at.fault(fmt.Sprintf("unknown type %s", p.Type), orElse(hint, "`domherre providers` lists the types"))
	return false
}

// checkSettings reports what Options.Types finds, at the keys it names, but for
// those that are told to be wrong.
func (l *loader) checkSettings(p Provider, whole value, places map[string]value, told map[string]bool) {
	if l.options.Types == nil {
		return
	}
	for _, f := range l.options.Types(p.Type, maps.Clone(p.Settings)) {
		if told[f.Key] {
			continue
		}
		at, ok := places[f.Key]
		if !ok || f.Key == "" {
			at = whole
		}
		message := f.Message
		if !ok && !strings.Contains(message, f.Key) {
			message = f.Key + ": " + message
		}
		at.fault(l.secrets.redact(message), l.secrets.redact(f.Hint))
	}
}

// secretKey finds the settings that hold a secret by how they are named.
var (
	secretKey = regexp.MustCompile(`(?i)(^|_)(key|token|secret|password|passwd|pass|credentials?|auth)$|token|secret|password`)
	publicKey = regexp.MustCompile(`(?i)key_?(id|name|alg|algorithm|type)$`)
)

// setting gives a node as plain Go: string, bool, int, float64, []any,
// map[string]any. Keys keep their case.
func (v value) setting(key string) any {
	switch v.node.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		keys, values, _ := v.pairs()
		for i, k := range keys {
			out[k.node.Value] = values[i].setting(k.node.Value)
		}
		return out
	case yaml.SequenceNode:
		items, _ := v.items()
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = item.setting(key)
		}
		return out
	}
	return v.plain(key)
}

// plain gives a scalar by YAML's own types.
func (v value) plain(key string) any {
	read := v.text
	if secretKey.MatchString(key) && !publicKey.MatchString(key) {
		read = v.secretText
	}
	s, ok := read()
	if !ok || v.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 || s != v.node.Value {
		return s
	}
	switch v.node.Tag {
	case "!!bool":
		return s == "true" || s == "True" || s == "TRUE"
	case "!!int":
		if n, err := strconv.Atoi(s); err == nil && strconv.Itoa(n) == s {
			return n
		}
	case "!!float":
		if n, err := strconv.ParseFloat(s, 64); err == nil {
			return n
		}
	}
	return s
}
