package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"domherre/portfolio"
)

// redirectFields are the keys of redirect:, of the main file and of an entry.
func redirectFields(r *portfolio.RedirectSettings) []field {
	return []field{
		leaf("status", status(&r.Status), "302", "301, 302, 303, 307 or 308. Browsers remember 301 and 308 for long."),
		leaf("path", keep(&r.KeepPath), "drop", "drop, or keep: append the path to the target's."),
		leaf("query", keep(&r.KeepQuery), "drop", "drop, or keep: merge the query; the target's own parameters win."),
		leaf("tags", tags(&r.Tags), "", `Added to the target's query, such as {utm_campaign: "{campaign}"}.`),
		leaf("hsts", hsts(&r.HSTS), "off", "Strict-Transport-Security: off, a duration (this host only), or preload."),
	}
}

func status(dst *int) kind {
	codes := []string{"301", "302", "303", "307", "308"}
	return kind{schema: schema{"enum": []int{301, 302, 303, 307, 308}}, read: func(v value) {
		var s string
		oneOf(&s, codes...).read(v)
		if s != "" {
			*dst, _ = strconv.Atoi(s)
		}
	}}
}

func keep(dst *bool) kind {
	words := []string{"drop", "keep"}
	return kind{schema: schema{"enum": words}, read: func(v value) {
		var s string
		oneOf(&s, words...).read(v)
		if s != "" {
			*dst = s == "keep"
		}
	}}
}

var template = regexp.MustCompile(`\{[^{}]*\}`)

// tags reads the tags and merges them into those that dst has.
func tags(dst *map[string]string) kind {
	s := schema{"type": "object", "additionalProperties": schema{"type": scalarTypes}}
	return kind{schema: s, read: func(v value) {
		keys, values, _ := v.pairs()
		out := maps.Clone(*dst)
		for i, k := range keys {
			got, ok := values[i].text()
			if !ok {
				continue
			}
			if out == nil {
				out = map[string]string{}
			}
			if k.node.Value == "" {
				k.fault("names no parameter", "")
			}
			values[i].templates(got)
			out[k.node.Value] = got
		}
		*dst = out
	}}
}

// templates checks the {…} of a tag.
func (v value) templates(s string) {
	known := []string{"{campaign}", "{domain}", "{host}"}
	for _, t := range template.FindAllString(s, -1) {
		switch {
		case !slices.Contains(known, t):
			v.fault(fmt.Sprintf("%s isn't known in a tag", t), didYouMean(t, known))
		case t != "{campaign}":
			v.warn(fmt.Sprintf("%s tells the frontend, and its logs, which address each visitor came by", t), "leave it out unless the frontend keeps no logs")
		}
	}
}

// preload is what the browsers' list asks for.
const preload = "max-age=63072000; includeSubDomains; preload"

// hsts reads the policy as the header's value; "" is off.
func hsts(dst *string) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		switch strings.ToLower(s) {
		case "off", "false":
			*dst = ""
			return
		case "preload":
			*dst = preload
			return
		}
		d, problem, _ := parseDuration(s)
		if problem != "" || d < time.Second {
			v.fault(fmt.Sprintf("takes off, a duration such as 365d, or preload, not %q", s), "")
			return
		}
		*dst = fmt.Sprintf("max-age=%d", int64(d/time.Second))
	}}
}
