package config

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// spelled are letters that don't decompose into a plain one and a mark.
var spelled = strings.NewReplacer("ø", "o", "æ", "ae", "œ", "oe", "ß", "ss", "đ", "d", "ð", "d", "þ", "th", "ł", "l")

// slug gives a word of a–z, 0–9 and single hyphens: "du-avgor" for "Du
// avgör!". It may be empty.
func slug(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(spelled.Replace(strings.ToLower(s))) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 63 {
			break
		}
	}
	return strings.TrimRight(b.String(), "-")
}
