package saastest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/miekg/dns"
)

// object is a JSON object.
type object map[string]any

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a recorder takes everything
}

// bearer gives the credential of an Authorization header.
func bearer(scheme string) func(*request) string {
	return func(r *request) string {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), scheme+" ")
		return token
	}
}

// byMethod takes every request but a GET for one that writes.
func byMethod(r *request) bool { return r.Method != http.MethodGet }

// segments gives the parts of the path behind a prefix.
func (r *request) segments(prefix string) []string {
	rest, _ := strings.CutPrefix(r.URL.Path, prefix)
	return strings.Split(strings.Trim(rest, "/"), "/")
}

// page cuts out the page that a request asks for, of size items unless it wants
// others, of most at most.
func page[T any](r *request, all []T, size, most int) (items []T, number, per int) {
	number, per = 1, size
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		number = n
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 {
		per = min(n, most)
	}
	from := min(len(all), (number-1)*per)
	return all[from:min(len(all), from+per)], number, per
}

// joined gives a TXT record's text, its strings joined; of other records the
// data.
func joined(r Record) string {
	txt, ok := r.RR.(*dns.TXT)
	if !ok {
		return r.data()
	}
	var b strings.Builder
	for _, s := range txt.Txt {
		b.WriteString(unescape(s))
	}
	return b.String()
}

// unescape undoes the escapes of the presentation form.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if n, err := strconv.ParseUint(s[i+1:min(len(s), i+4)], 10, 8); err == nil && i+4 <= len(s) {
			b.WriteByte(byte(n))
			i += 3
			continue
		}
		i++
		b.WriteByte(s[i])
	}
	return b.String()
}

// utf8Text reports whether XML and JSON can carry a text unharmed.
func utf8Text(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != '\t' && unicode.IsControl(r) })
}

// quote gives text as strings of at most 255 octets, as in a zone file.
func quote(text string) string {
	const longest = 255
	var parts []string
	for len(text) > longest {
		parts, text = append(parts, text[:longest]), text[longest:]
	}
	parts = append(parts, text)
	for i, part := range parts {
		parts[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(part) + `"`
	}
	return strings.Join(parts, " ")
}
