package config

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Between braces and brackets YAML takes the { of ${env:NAME} for a mapping,
// so that [{url: ${env:NOTIFY_URL}}] is none. Such references are put to the
// parser with other braces, a character for a character: places stay right.
const (
	openBrace  = "\ue07b"
	closeBrace = "\ue07d"
)

var (
	braced   = regexp.MustCompile(`\$\{((?:env|file):[^\s{}"',\[\]]+)\}`)
	unbraced = strings.NewReplacer("$"+openBrace, "${", closeBrace, "}")
)

// hideBraces gives content with the references' braces replaced.
func hideBraces(content []byte) []byte {
	if !bytes.Contains(content, []byte("${")) {
		return content
	}
	return braced.ReplaceAll(content, []byte("$$"+openBrace+"${1}"+closeBrace))
}

// showBraces puts the references' braces back, in n and below.
func showBraces(n *yaml.Node) {
	if strings.Contains(n.Value, "$"+openBrace) {
		n.Value = unbraced.Replace(n.Value)
	}
	for _, c := range n.Content {
		showBraces(c)
	}
}
