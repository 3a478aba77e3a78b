package config

import (
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// envPrefix starts the variables that set a key.
const envPrefix = "DOMHERRE_"

// defaultOrigin stands for the file of a value that nobody wrote.
const defaultOrigin = "default"

// envName is the variable of a key: DOMHERRE_LISTEN_HTTP for listen.http.
func envName(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// flagName is the flag of a key: listen-http for listen.http.
func flagName(path string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(path)
}

// AddFlags defines a flag for each of the keys ("state", "log.level"), which
// Load then finds in Options.Flags.
func AddFlags(fs *pflag.FlagSet, keys ...string) {
	leaves("", tables(new(loader)), func(path string, f field) {
		for _, k := range keys {
			if k == path {
				fs.String(flagName(path), "", f.doc+" ("+path+" of the config)")
			}
		}
	})
}

// merge decides by viper which source each leaf comes from: flags, then
// variables, then the file, then defaults. Viper holds the leaves as values
// that know their place; only the fixed keys of the tables go through it,
// since it lower-cases keys and splits them at dots.
func (l *loader) merge(fields []field, file value) {
	v := viper.New()
	leaves("", fields, func(path string, f field) {
		if f.def != "" {
			v.SetDefault(path, l.defaultValue(path, f.def))
		}
	})
	tree := map[string]any{}
	file.walk(fields, func(_ field, got value) { plant(tree, got.path, got) })
	l.layer(v, tree)
	tree = map[string]any{}
	leaves("", fields, func(path string, _ field) {
		if text, _ := l.env(envName(path)); text != "" { // an empty one is as good as none
			plant(tree, path, l.scalar("$"+envName(path), path, text))
		}
		if flag := l.flag(path); flag != nil {
			v.Set(path, l.scalar("--"+flag.Name, path, flag.Value.String()))
		}
	})
	l.layer(v, tree)
	leaves("", fields, func(path string, f field) {
		if got, ok := v.Get(path).(value); ok {
			l.written[path] = got
			f.kind.read(got)
		}
	})
}

// layer puts a tree of values on top of what viper has.
func (l *loader) layer(v *viper.Viper, tree map[string]any) {
	if err := v.MergeConfigMap(tree); err != nil {
		l.report(Problem{File: l.path, Message: err.Error()})
	}
}

func (l *loader) flag(path string) *pflag.Flag {
	if l.options.Flags == nil {
		return nil
	}
	if f := l.options.Flags.Lookup(flagName(path)); f != nil && f.Changed {
		return f
	}
	return nil
}

// defaultValue parses the text of a default.
func (l *loader) defaultValue(path, text string) value {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil || len(n.Content) == 0 {
		return l.scalar(defaultOrigin, path, text)
	}
	return value{l: l, doc: &document{file: defaultOrigin}, node: n.Content[0], path: path}
}

// plant sets tree[a][b][c] for the path "a.b.c".
func plant(tree map[string]any, path string, v value) {
	keys := strings.Split(path, ".")
	for _, k := range keys[:len(keys)-1] {
		sub, ok := tree[k].(map[string]any)
		if !ok {
			sub = map[string]any{}
			tree[k] = sub
		}
		tree = sub
	}
	tree[keys[len(keys)-1]] = v
}
