package portfolio

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// aLabel turns one label of a host name, in either form and any case, into its
// lower-case A-label.
func aLabel(label string) (string, *fault) {
	if len(label) > maxLabel*utf8.UTFMax { // no use in converting what can't become shorter
		return "", labelTooLong()
	}
	ascii := lowerASCII(label)
	if !isASCII(label) {
		if f := cmp.Or(checkRunes(label), checkHyphens(label), checkScripts(label)); f != nil {
			return "", f
		}
		var err error
		if ascii, err = idna.Lookup.ToASCII(label); err != nil || ascii == "" {
			return "", idnaFault(err)
		}
	}
	if f := cmp.Or(checkRunes(ascii), checkHyphens(ascii)); f != nil {
		return "", f
	}
	if len(ascii) > maxLabel {
		return "", labelTooLong()
	}
	if !strings.HasPrefix(ascii, "xn--") {
		return ascii, nil
	}
	return ascii, checkALabel(ascii)
}

func labelTooLong() *fault {
	return &fault{fmt.Sprintf("has a label of more than %d characters in its A-label form", maxLabel), "shorten it"}
}

// checkALabel decodes an A-label and holds its U-label to the rules that a
// written U-label is held to.
func checkALabel(ascii string) *fault {
	u, err := idna.Punycode.ToUnicode(ascii)
	if err != nil {
		return &fault{fmt.Sprintf("has the label %q, which decodes to nothing", ascii), "write the name with its letters"}
	}
	if f := cmp.Or(checkRunes(u), checkScripts(u)); f != nil {
		return f
	}
	if back, err := idna.Lookup.ToASCII(u); err != nil || back != ascii || isASCII(u) {
		return &fault{fmt.Sprintf("has the label %q, which is not the A-label of %q", ascii, u), "write the name with its letters"}
	}
	return checkContext(u)
}

// idnaFault words what golang.org/x/net/idna refuses beyond our own checks:
// right-to-left rules, leading combining marks, unassigned code points.
func idnaFault(err error) *fault {
	detail := "changed by mapping"
	if err != nil {
		detail = strings.TrimPrefix(err.Error(), "idna: ")
	}
	return &fault{"is not allowed by IDNA 2008 (" + detail + ")", exampleHint}
}

// checkHyphens applies RFC 5891, section 4.2.3.1, to a label in either form.
func checkHyphens(label string) *fault {
	runes := []rune(label)
	switch {
	case strings.HasPrefix(label, "-"):
		return &fault{"has a label that starts with a hyphen", "remove the hyphen"}
	case strings.HasSuffix(label, "-"):
		return &fault{"has a label that ends with a hyphen", "remove the hyphen"}
	case len(runes) > 3 && runes[2] == '-' && runes[3] == '-' && !strings.HasPrefix(label, "xn"):
		return &fault{"has hyphens as third and fourth character of a label", "remove one; only xn-- may stand there"}
	}
	return nil
}

func checkRunes(label string) *fault {
	for _, r := range label {
		if f := checkRune(r); f != nil {
			return f
		}
	}
	return nil
}

// checkRune refuses what UTS 46 would drop, map to something else than another
// case, or let through though IDNA 2008 doesn't.
func checkRune(r rune) *fault {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-':
		return nil
	case unicode.IsSpace(r) && r >= ' ':
		return &fault{fmt.Sprintf("contains a space (U+%04X)", r), "write the name without spaces"}
	case unicode.IsControl(r):
		return &fault{fmt.Sprintf("contains the control character U+%04X", r), "delete it and type the name anew"}
	case isInvisible(r):
		return &fault{fmt.Sprintf("contains the invisible character U+%04X", r), "delete it and type the name anew"}
	case r == '_':
		return &fault{"contains an underscore", "write letters, digits and hyphens only"}
	case r == '\u3002' || r == '\uff0e' || r == '\uff61':
		return &fault{fmt.Sprintf("contains %s instead of a full stop", shown(r)), `write "." between labels`}
	}
	if plain := norm.NFKC.String(string(r)); plain != norm.NFC.String(string(r)) {
		return &fault{fmt.Sprintf("contains %s, which only looks like %q", shown(r), plain), fmt.Sprintf("write %q", plain)}
	}
	if unicode.In(r, unicode.Letter, unicode.Mn, unicode.Mc, unicode.Nd) || hasContext(r) {
		return nil
	}
	return &fault{fmt.Sprintf("contains %s, which is no letter, digit or hyphen", shown(r)), "write letters, digits and hyphens only"}
}

// shown names a code point, with its glyph where it has one.
func shown(r rune) string {
	if unicode.IsPrint(r) && !unicode.Is(unicode.M, r) {
		return fmt.Sprintf(`"%c" (U+%04X)`, r, r)
	}
	return fmt.Sprintf("U+%04X", r)
}

func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// hasContext tells the punctuation that IDNA 2008 allows in some contexts
// (RFC 5892, appendix A).
func hasContext(r rune) bool {
	return strings.ContainsRune("\u00b7\u0375\u05f3\u05f4\u30fb", r)
}

// checkContext applies RFC 5892, appendix A.3 to A.7, which x/net/idna
// doesn't.
func checkContext(u string) *fault {
	runes := []rune(u)
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return 0
		}
		return runes[i]
	}
	for i, r := range runes {
		ok := true
		switch r {
		case '\u00b7': // between two l, as in Catalan
			ok = at(i-1) == 'l' && at(i+1) == 'l'
		case '\u0375': // Greek numerals
			ok = unicode.Is(unicode.Greek, at(i+1))
		case '\u05f3', '\u05f4': // Hebrew punctuation
			ok = unicode.Is(unicode.Hebrew, at(i-1))
		case '\u30fb': // Japanese word separator
			ok = strings.ContainsFunc(u, func(r rune) bool {
				return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
			})
		}
		if !ok {
			return &fault{fmt.Sprintf("contains %s where it is not allowed", shown(r)), "write letters, digits and hyphens only"}
		}
	}
	return nil
}

// checkScripts refuses a label in more than one script, but for those that are
// written together (UTS 39, section 5.2, "highly restrictive").
func checkScripts(u string) *fault {
	first := ""
	east := true // all so far go with Latin in East Asian writing
	for _, r := range u {
		script := scriptOf(r)
		if script == "" {
			continue
		}
		east = east && isEastAsian(script)
		if first == "" {
			first = script
		}
		if script == first || east {
			continue
		}
		if first == "Latin" || script != "Latin" {
			return mixedFault(first, script, r)
		}
		return mixedFault("Latin", first, firstOf(u, first))
	}
	return nil
}

func mixedFault(script, other string, r rune) *fault {
	return &fault{
		fmt.Sprintf("mixes %s letters with the %s %s", script, other, shown(r)),
		"type the name anew, in one alphabet",
	}
}

func isEastAsian(script string) bool {
	switch script {
	case "Latin", "Han", "Hiragana", "Katakana", "Bopomofo", "Hangul":
		return true
	}
	return false
}

func firstOf(u, script string) rune {
	for _, r := range u {
		if scriptOf(r) == script {
			return r
		}
	}
	return 0
}

// scriptOf names the script of r, or nothing for what all scripts share.
func scriptOf(r rune) string {
	switch {
	case 'a' <= r && r <= 'z', unicode.Is(unicode.Latin, r):
		return "Latin"
	case unicode.In(r, unicode.Common, unicode.Inherited):
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}
