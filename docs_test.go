package domherre_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"domherre/config"
	"domherre/dnsprovider"
)

// TestDocConfig holds docs/config.md to the tables that the config is read by:
// every key has a row, with its default, and no row is about another key.
func TestDocConfig(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.\\[\\]]+)` \\|(.*)$").FindAllStringSubmatch(string(text), -1) {
		if _, again := rows[m[1]]; !again {
			rows[m[1]] = m[2]
		}
	}
	keys := keysOf(t, config.MainSchema)
	for key, def := range keys {
		row, ok := rows[key]
		switch {
		case !ok:
			t.Errorf("docs/config.md has no row for %s", key)
		case def != "" && !strings.Contains(row, "| `"+def+"` |"):
			t.Errorf("docs/config.md: the default of %s is %s, not in %s", key, def, row)
		}
	}
	entry := keysOf(t, config.DomainsSchema)
	for key := range entry {
		if key, _, _ = strings.Cut(strings.TrimPrefix(key, "domains[]."), "."); rows[key] == "" && key != "domains" {
			t.Errorf("docs/config.md has no row for %s of a domain", key)
		}
	}
	for key := range rows {
		if _, ok := keys[key]; !ok && strings.Contains(key, ".") {
			t.Errorf("docs/config.md has a row for %s, which is no key", key)
		}
	}
}

// keysOf gives the leaves of a schema by path, each with its default as one
// would write it. Keys of providers have none of their own name before them.
func keysOf(t *testing.T, name string) map[string]string {
	t.Helper()
	var root node
	if err := json.Unmarshal(config.Schemas()[name], &root); err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	root.leaves("", keys)
	return keys
}

// node is what is of interest in a JSON Schema.
type node struct {
	Default    any             `json:"default"`
	Properties map[string]node `json:"properties"`
	Additional any             `json:"additionalProperties"`
	Items      *node           `json:"items"`
	OneOf      []node          `json:"oneOf"`
}

func (n node) leaves(path string, into map[string]string) {
	for key, sub := range n.Properties {
		at := path + key
		if sub.Properties == nil {
			into[at] = sub.written()
		}
		sub.leaves(at+".", into)
		if sub.Items != nil {
			sub.Items.leaves(at+"[].", into)
			for _, one := range sub.Items.OneOf {
				one.leaves(at+"[].", into)
			}
		}
		if at == "providers" {
			text, _ := json.Marshal(sub.Additional)
			var each node
			_ = json.Unmarshal(text, &each)
			each.leaves("", into)
		}
	}
}

func (n node) written() string {
	switch def := n.Default.(type) {
	case nil:
		return ""
	case []any:
		return `["@", www]` // the one list with a default
	case string:
		if strings.HasPrefix(def, ":") {
			return `"` + def + `"` // a colon in front needs quotes
		}
		return def
	default:
		return fmt.Sprint(def)
	}
}

// TestDocProviders holds docs/providers.md to the types that exist: a type with
// a section of its own is shown there with its settings; each other has a row,
// word for word.
func TestDocProviders(t *testing.T) {
	t.Parallel()
	if _, all := dnsprovider.TypeOf("route53"); !all {
		t.Skip("a lean build has fewer types")
	}
	text, err := os.ReadFile("docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range dnsprovider.Types() {
		words := []string{providerRow(typ)}
		if strings.Contains(string(text), "| [`"+typ.Name+"`](#"+typ.Name+") |") {
			words = []string{"type: " + typ.Name + "\n"}
			for _, s := range typ.Settings {
				words = append(words, s.Key)
			}
		}
		for _, word := range words {
			if !strings.Contains(string(text), word) {
				t.Errorf("docs/providers.md doesn't show this of the type %s:\n%s", typ.Name, word)
			}
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9]+)` \\| \\[").FindAllStringSubmatch(string(text), -1) {
		if !slices.ContainsFunc(dnsprovider.Types(), func(typ dnsprovider.Type) bool { return typ.Name == m[1] }) {
			t.Errorf("docs/providers.md has a row for %s, which is no type", m[1])
		}
	}
}

// providerRow is a type's row of the tables of vendors.
func providerRow(t dnsprovider.Type) string {
	var settings []string
	for _, s := range t.Settings {
		key := "`" + s.Key + "`"
		if s.Required {
			key = "**" + key + "**"
		}
		settings = append(settings, key)
	}
	ttl := ""
	switch {
	case len(t.TTLs) == 1:
		ttl = fmt.Sprint("always ", t.TTLs[0])
	case len(t.TTLs) > 1:
		ttl = fmt.Sprint(t.TTLs[0], ", steps")
	case t.MinTTL > 0:
		ttl = fmt.Sprint(t.MinTTL)
	}
	return fmt.Sprintf("| `%s` | [%s](%s) | %s | %s | %d, %g | %s |", t.Name, t.Summary, t.Home,
		strings.Join(settings, ", "), ttl, t.Limits.Concurrency, t.Limits.RequestsPerSecond, strings.Join(t.Cannot, "; "))
}
