package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// schema is a JSON Schema.
type schema = map[string]any

// text reads any string.
func text(dst *string) kind {
	return kind{schema: schema{"type": scalarTypes}, read: func(v value) {
		if s, ok := v.text(); ok {
			*dst = s
		}
	}}
}

// named reads a text that says something.
func named(dst *string) kind {
	return kind{schema: schema{"type": scalarTypes, "minLength": 1}, read: func(v value) {
		switch s, ok := v.text(); {
		case !ok:
		case strings.TrimSpace(s) == "":
			v.fault("is empty", "")
		default:
			*dst = s
		}
	}}
}

// scalarTypes are the JSON types that a text may come as: `note: 2026` is a
// text too.
var scalarTypes = []string{"string", "number", "boolean"}

// secret reads a string that never prints, and warns where it stands as it is
// in a file that others can read.
func secret(dst *Secret) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		if s, ok := v.secretText(); ok {
			*dst = newSecret(s)
		}
	}}
}

func (v value) secretText() (string, bool) {
	s, ok := v.text()
	if !ok || s == "" {
		return "", ok
	}
	v.l.secrets.add(s)
	if v.doc.open && !strings.Contains(v.node.Value, "${") {
		v.warn("a secret stands here, in a file that others can read", "chmod o-r "+v.doc.file+", or write ${env:NAME} or ${file:PATH}")
	}
	return s, true
}

// boolean reads true or false.
func boolean(dst *bool) kind {
	return kind{schema: schema{"type": "boolean"}, read: func(v value) {
		s, ok := v.text()
		switch {
		case !ok:
		case s == "true" || s == "True" || s == "TRUE":
			*dst = true
		case s == "false" || s == "False" || s == "FALSE":
			*dst = false
		default:
			v.fault(fmt.Sprintf("takes true or false, not %q", s), trueOrFalse(s))
		}
	}}
}

// trueOrFalse gives a hint on how YAML 1.2 writes what is meant.
func trueOrFalse(s string) string {
	switch strings.ToLower(s) {
	case "yes", "y", "on", "1", "ja", "j", "x", "sant", "sann":
		return "write true"
	case "no", "n", "off", "0", "nej", "falskt", "falsk":
		return "write false"
	}
	return ""
}

// whole reads a whole number.
func whole(dst *int, least, most int) kind {
	return kind{schema: schema{"type": "integer", "minimum": least, "maximum": most}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			v.fault(fmt.Sprintf("takes a whole number from %d to %d, not %q", least, most, s), "")
			return
		}
		*dst = n
	}}
}

// number reads a number above zero.
func number(dst *float64) kind {
	return kind{schema: schema{"type": "number", "exclusiveMinimum": 0}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || n <= 0 || math.IsInf(n, 0) || math.IsNaN(n) {
			v.fault(fmt.Sprintf("takes a number above 0, not %q", s), "")
			return
		}
		*dst = n
	}}
}

// percent reads "25%" as a fraction from 0 to 1.
func percent(dst *float64, least, most float64) kind {
	return kind{schema: schema{"type": "string", "pattern": `^\d+(\.\d+)?%$`}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		digits, isPercent := strings.CutSuffix(s, "%")
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		switch {
		case err != nil || math.IsNaN(n):
			v.fault(fmt.Sprintf("takes a share such as 25%%, not %q", s), "")
		case !isPercent:
			if n > 0 && n < 1 {
				n *= 100 // as other programs write shares
			}
			v.fault(fmt.Sprintf("takes a share such as 25%%, not %q", s), fmt.Sprintf("write %g%%", n))
		case n < least*100 || n > most*100:
			v.fault(fmt.Sprintf("takes a share from %g%% to %g%%, not %s", least*100, most*100, s), "")
		default:
			*dst = n / 100
		}
	}}
}

// duration reads "10m", "1h30m" or "90d".
func duration(dst *time.Duration, least time.Duration) kind {
	return kind{schema: durationSchema, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		d, problem, hint := parseDuration(s)
		switch {
		case problem != "":
			v.fault(problem, hint)
		case d < least:
			v.fault(fmt.Sprintf("takes at least %s, not %s", least, s), "")
		default:
			*dst = d
		}
	}}
}

var durationSchema = schema{"type": "string", "pattern": `^(\d+(\.\d+)?(ms|s|m|h|d|w))+$`}

var (
	plainNumber = regexp.MustCompile(`^\d+$`)
	longUnit    = regexp.MustCompile(`(\d+(?:\.\d+)?)([dw])`)
)

// parseDuration reads what time.ParseDuration does, and days and weeks.
func parseDuration(s string) (d time.Duration, problem, hint string) {
	if plainNumber.MatchString(s) && s != "0" {
		return 0, fmt.Sprintf("%s has no unit", s), fmt.Sprintf("write %ss for seconds; ms, s, m, h, d and w are units", s)
	}
	hours := longUnit.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseFloat(m[:len(m)-1], 64)
		if m[len(m)-1] == 'w' {
			n *= 7
		}
		return strconv.FormatFloat(n*24, 'f', -1, 64) + "h"
	})
	d, err := time.ParseDuration(hours)
	if err != nil || d < 0 {
		return 0, fmt.Sprintf("takes a duration such as 10m, not %q", s), "ms, s, m, h, d and w are units: 90s, 1h30m, 7d"
	}
	return d, "", ""
}

// oneOf reads one of some words.
func oneOf(dst *string, words ...string) kind {
	return kind{schema: schema{"enum": words}, read: func(v value) {
		s, ok := v.text()
		switch {
		case !ok:
		case slices.Contains(words, s):
			*dst = s
		default:
			v.fault(fmt.Sprintf("takes %s, not %q", either(words), s), nearHint(s, words))
		}
	}}
}

// either gives "a, b or c".
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func nearHint(s string, words []string) string {
	if best := nearest(s, words); best != "" && !plainNumber.MatchString(s) {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return ""
}

// listOf reads a list, each element by read; dst is replaced whole.
func listOf[T any](dst *[]T, element schema, read func(value) (T, bool)) kind {
	return kind{schema: schema{"type": "array", "items": element}, read: func(v value) {
		items, ok := v.items()
		if !ok {
			return
		}
		out := make([]T, 0, len(items))
		for _, item := range items {
			if got, ok := read(item); ok {
				out = append(out, got)
			}
		}
		*dst = out
	}}
}

// optional reads into a new value, which dst points to from then on.
func optional[T any](dst **T, of func(*T) kind) kind {
	return kind{schema: of(new(T)).schema, read: func(v value) {
		got := new(T)
		of(got).read(v)
		*dst = got
	}}
}
