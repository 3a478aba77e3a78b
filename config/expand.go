package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// reference is ${env:NAME} or ${file:PATH}, or anything else that starts so.
var reference = regexp.MustCompile(`\$?\$\{([^{}]*)\}?`)

// expand resolves ${env:NAME} and ${file:PATH} in s. "$${" is a plain "${".
// Domain files take none: who may add a domain shall not read the secrets of
// the machine through a redirect's target.
func (v value) expand(s string) (string, bool) {
	if !strings.Contains(s, "${") {
		return s, true
	}
	ok := true
	out := reference.ReplaceAllStringFunc(s, func(ref string) string {
		if rest, escaped := strings.CutPrefix(ref, "$$"); escaped {
			return "$" + rest
		}
		got, found := v.resolve(ref)
		ok = ok && found
		return got
	})
	return out, ok
}

func (v value) resolve(ref string) (string, bool) {
	body, closed := strings.CutSuffix(strings.TrimPrefix(ref, "${"), "}")
	kind, name, _ := strings.Cut(body, ":")
	name = strings.TrimSpace(name)
	switch {
	case !v.doc.secrets:
		v.fault("a domain file takes no ${…}", "write the value itself, or set it in domherre.yaml")
	case !closed || name == "" || kind != "env" && kind != "file":
		v.fault(fmt.Sprintf("%s isn't understood", ref), "write ${env:NAME}, ${file:PATH}, or $${ for a plain ${")
	case kind == "env":
		return v.fromEnv(name)
	default:
		return v.fromFile(name)
	}
	return "", false
}

func (v value) fromEnv(name string) (string, bool) {
	got, set := v.l.env(name)
	switch {
	case !set:
		v.fault(fmt.Sprintf("the variable %s isn't set", name), fmt.Sprintf("set %s in the environment of domherre", name))
	case got == "":
		v.fault(fmt.Sprintf("the variable %s is empty", name), "")
	default:
		v.l.secrets.add(got)
		return got, true
	}
	return "", false
}

func (v value) fromFile(name string) (string, bool) {
	path := v.l.relative(name)
	content, p := v.l.read(path, "the secret file")
	switch {
	case p != nil:
		v.fault(p.Message, p.Hint)
		return "", false
	case othersCanRead(path):
		v.fault(fmt.Sprintf("others can read the secret file %s", path), "chmod o-r "+path)
		return "", false
	}
	got := strings.TrimRight(string(content), "\r\n")
	if got == "" {
		v.fault(fmt.Sprintf("the secret file %s is empty", path), "")
		return "", false
	}
	v.l.secrets.add(got)
	return got, true
}

// relative gives a path as seen from the main file's folder.
func (l *loader) relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.path), path)
}

// env looks a variable up.
func (l *loader) env(name string) (string, bool) {
	if l.options.Env != nil {
		return l.options.Env(name)
	}
	return os.LookupEnv(name)
}
