package tls

import "strings"

// table is what handshakes read: from each name in use to the task that keeps
// a certificate for it. The map is never changed once published.
type table map[string]*task

// put has c served unless a later generation is, and reports whether it is.
func (t *task) put(c *served) bool {
	for {
		old := t.cert.Load()
		if old != nil && old.number >= c.number {
			return false
		}
		if t.cert.CompareAndSwap(old, c) {
			return true
		}
	}
}

// lookup gives the certificate that covers host, or nil. A wildcard covers one
// label (RFC 9525, section 6.3).
func (names table) lookup(host string) *served {
	for _, t := range names.tasks(host) {
		if t == nil {
			continue
		}
		if c := t.cert.Load(); c != nil && covers(c.names, host) {
			return c
		}
	}
	return nil
}

// tasks gives those that may keep a certificate for host: its own, and that of
// the wildcard above; nil where there is none.
func (names table) tasks(host string) [2]*task {
	_, parent, ok := strings.Cut(host, ".")
	if !ok {
		return [2]*task{names[host]}
	}
	return [2]*task{names[host], names["*."+parent]}
}

// knows reports whether host is a name in use, certificate or not.
func (names table) knows(host string) bool {
	return names.tasks(host) != [2]*task{}
}

// covers reports whether one of a certificate's names covers name, which may
// be a wildcard itself.
func covers(names []string, name string) bool {
	_, parent, _ := strings.Cut(name, ".")
	for _, n := range names {
		n = strings.ToLower(n)
		if n == name {
			return true
		}
		if p, ok := strings.CutPrefix(n, "*."); ok && p == parent && !strings.HasPrefix(name, "*.") {
			return true
		}
	}
	return false
}
