package portfolio

import (
	"fmt"
	"strings"
)

// The letters that Internetstiftelsen registers, beside a to z, digits and the
// hyphen: its IDN tables of 2020-10-02 for .se (Latin version 3, Yiddish
// version 3) and .nu (Latin version 2), https://dotse.github.io/IDN-tables/,
// which are also in IANA's repository of IDN practices.
const (
	seLetters = "àáâäåæçèéêëìíîïðñòóôõöøùúüýþ" +
		"ćčđěłńŋřśšţŧźžǎǐǒǔǥǧǩǯəʒ"
	nuLetters = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿāēīŋōū"
)

// checkRegistry holds a domain below .se or .nu to its registry's table.
func checkRegistry(ascii string) *fault {
	label, top, _ := strings.Cut(ascii, ".")
	top = top[strings.LastIndexByte(top, '.')+1:]
	if (top != "se" && top != "nu") || !strings.HasPrefix(label, "xn--") {
		return nil
	}
	u := unicodeOf(label)
	letters := seLetters
	if top == "nu" {
		letters = nuLetters
	}
	for _, r := range u {
		if r < 0x80 || strings.ContainsRune(letters, r) {
			continue
		}
		if top == "se" && scriptOf(r) == "Hebrew" {
			return checkYiddish(u)
		}
		return &fault{
			fmt.Sprintf("contains %s, which cannot be registered below .%s", shown(r), top),
			"see the registry's table of letters, https://dotse.github.io/IDN-tables/",
		}
	}
	return nil
}

// yiddishPoints gives the points that may follow a letter in the registry's
// Yiddish table. The yod ligature stands with its point only.
func yiddishPoints(letter rune) string {
	switch letter {
	case 'א':
		return "\u05b7\u05b8"
	case 'ב':
		return "\u05bf"
	case 'ו', 'כ', 'ת':
		return "\u05bc"
	case 'י':
		return "\u05b4"
	case 'פ':
		return "\u05bc\u05bf"
	case 'ש':
		return "\u05c2"
	case 'ײ':
		return "\u05b7"
	}
	return ""
}

// checkYiddish holds a label to the Yiddish table of .se: its letters, each
// with at most one of its points, digits in the middle, no Latin letters.
func checkYiddish(u string) *fault {
	runes := []rune(u)
	for i, r := range runes {
		var before, after rune
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		ok := false
		switch {
		case r == '-':
			ok = true
		case '0' <= r && r <= '9':
			ok = before != 0 && after != 0
		case 'א' <= r && r <= 'ת':
			ok = true
		case r == 'ײ':
			ok = after == '\u05b7'
		default:
			ok = strings.ContainsRune(yiddishPoints(before), r)
		}
		if !ok {
			return &fault{
				fmt.Sprintf("contains %s where the registry of .se does not allow it", shown(r)),
				"see the registry's Yiddish table, https://dotse.github.io/IDN-tables/",
			}
		}
	}
	return nil
}
