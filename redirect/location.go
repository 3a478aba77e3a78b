package redirect

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// target is where a host leads, in the pieces that a Location is put together
// from. All pieces are escaped.
type target struct {
	origin   string // "https://www.xn--duavgr-0xa.se"
	path     string // begins with a slash
	query    string // the target's own parameters, then the tags
	fragment string // with its "#", or empty
	own      map[string]bool
}

// newTarget reads a site's target and adds its tags, filled in for host. A tag
// whose name the target's query has already is left out.
func newTarget(s Site, host string) (*target, error) {
	u, err := url.Parse(s.Target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: target is no URL; write an absolute https URL", s.Domain)
	case u.Scheme != "https" && u.Scheme != "http", u.Opaque != "":
		return nil, fmt.Errorf("%s: target %q is no web address; write an absolute https URL", s.Domain, s.Target)
	case u.User != nil:
		return nil, fmt.Errorf("%s: target holds a user name or password; leave it out", s.Domain)
	}
	if host, ok := splitHost(u.Host); !ok || (host == "" && u.Hostname() == "") {
		return nil, fmt.Errorf("%s: target %q needs a host in A-labels", s.Domain, s.Target)
	}
	t := &target{origin: u.Scheme + "://" + u.Host, path: "/", own: map[string]bool{}}
	if clean, ok := cleanPath(u.EscapedPath()); ok && clean != "" {
		t.path = clean
	}
	if u.Fragment != "" {
		t.fragment = "#" + u.EscapedFragment()
	}
	t.query = mergeQuery("", u.RawQuery, nil)
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && name != "" {
			t.own[name] = true
		}
	}
	t.addTags(s, host)
	return t, nil
}

func (t *target) addTags(s Site, host string) {
	fill := strings.NewReplacer("{campaign}", s.Campaign, "{domain}", s.Domain, "{host}", host)
	for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
		if t.own[name] {
			continue
		}
		t.own[name] = true
		t.query = joinQuery(t.query, url.QueryEscape(name)+"="+url.QueryEscape(fill.Replace(s.Tags[name])))
	}
}

// location puts a Location together from an escaped request path and query,
// each of which may be empty. Whatever they hold, the origin is the target's
// and the path lies at or below the target's.
func (t *target) location(path, query string) string {
	p := t.path
	if clean, ok := cleanPath(path); ok && clean != "" && clean != "/" {
		p = strings.TrimSuffix(p, "/") + clean
	}
	q := mergeQuery(t.query, query, t.own)
	if q != "" {
		q = "?" + q
	}
	return t.origin + p + q + t.fragment
}

// cleanPath makes an escaped path safe to append to another: dot segments are
// resolved without climbing out (RFC 3986, section 5.2.4), empty segments
// dropped, and every byte that may not stand there is escaped. ok is false for
// a path that can't be made harmless: broken escapes, control characters, or a
// segment that would turn into dot segments once its slashes are decoded. The
// result is empty or begins with a slash.
func cleanPath(path string) (clean string, ok bool) {
	var kept []string
	last := ""
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil || hasControl(decoded) || climbs(decoded) {
			return "", false
		}
		switch last = decoded; decoded {
		case ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, escapeSegment(segment))
		}
	}
	kept = slices.DeleteFunc(kept, func(s string) bool { return s == "" })
	if len(kept) == 0 {
		return "", true
	}
	clean = "/" + strings.Join(kept, "/")
	if last == "" || last == "." || last == ".." {
		clean += "/"
	}
	return clean, true
}

// climbs reports whether a decoded segment holds further segments of dots,
// as "..%2f" and "..\" do for servers that decode once too often.
func climbs(segment string) bool {
	if !strings.ContainsAny(segment, `/\`) {
		return false
	}
	for _, part := range strings.FieldsFunc(segment, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// escapeSegment escapes what may not stand in a path segment (RFC 3986,
// section 3.3) and leaves escapes as they are.
func escapeSegment(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// mergeQuery adds the parameters of query to base, in their order, but for
// those named in taken. Each is decoded and escaped anew; what can't be
// decoded, or holds control characters, is dropped.
func mergeQuery(base, query string, taken map[string]bool) string {
	if query == "" {
		return base
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, hasValue := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || name == "" || taken[name] || hasControl(name) || hasControl(value) {
			continue
		}
		pair = url.QueryEscape(name)
		if hasValue {
			pair += "=" + url.QueryEscape(value)
		}
		base = joinQuery(base, pair)
	}
	return base
}

func joinQuery(a, b string) string {
	if a == "" {
		return b
	}
	return a + "&" + b
}
