package zoneio

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// Quote gives a text as zone files have it: character-strings of at most 255
// octets, in quotes, escaped (RFC 1035, section 5.1).
func Quote(text string) string {
	var b strings.Builder
	for i, chunk := range chunks(text) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(`"` + chunk + `"`)
	}
	return b.String()
}

// Unquote undoes Quote. It fails for what is no list of character-strings.
func Unquote(data string) (string, error) {
	if strings.ContainsAny(data, "\r\n") {
		return "", fmt.Errorf("a text of more than one line")
	}
	parser := dns.NewZoneParser(strings.NewReader(". 0 IN TXT "+data+"\n"), ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return "", err
	}
	txt, isText := rr.(*dns.TXT)
	if !ok || !isText {
		return "", fmt.Errorf("no text")
	}
	return joined(txt.Txt), nil
}
