package portfolio

import (
	"fmt"
	"slices"
	"strings"
)

var apexNS = Key{"@", "NS"}

// settle marks the rows that stay as observed, whatever the rest says.
func (d *differ) settle() {
	for i := range d.rows {
		r := &d.rows[i]
		switch {
		case r.Key == MarkerKey:
			r.off = offNever
		case r.Key == apexNS && r.want == nil:
			r.off = offNever
		case strings.HasPrefix(r.Name, "_acme-challenge"):
			r.off = offNever
		case slices.ContainsFunc(d.des.Domain.DNS.Ignore, func(pattern string) bool { return Ignored(pattern, r.Key) }):
			r.off = offNever
		case r.obs != nil && r.own != nil && slices.Contains(d.des.Keep, r.Key):
			r.off = offHeld
		}
	}
}

// Ignored reports whether an ignore pattern covers k. A pattern is an owner
// name and, after a space, a type; without a type it covers all. "*" stands for
// any run of octets in either, dots included; "\*" is the wildcard label
// itself.
//
//	"_acme-challenge*"  _acme-challenge, _acme-challenge.www
//	"*.lab TXT"         a.lab TXT, a.b.lab TXT
func Ignored(pattern string, k Key) bool {
	name, typ, _ := strings.Cut(strings.TrimSpace(pattern), " ")
	if typ = strings.TrimSpace(typ); typ != "" && !glob(strings.ToUpper(typ), k.Type) {
		return false
	}
	return glob(strings.ToLower(name), k.Name)
}

// glob matches without backtracking further than the last star.
func glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p+1 < len(pattern) && pattern[p] == '\\' && pattern[p+1] == '*' && s[i] == '*':
			p, i = p+2, i+1
		case p < len(pattern) && pattern[p] == s[i]:
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// protectMail leaves the mail lock out where others have mail in the zone and
// the domain's entry doesn't itself say that it never mails.
func (d *differ) protectMail() {
	if d.des.Domain.DNS.MailExplicit || d.mode == OwnExclusive {
		return
	}
	i := d.foreignMX()
	if i < 0 || !slices.ContainsFunc(d.rows, func(r row) bool { return r.want.locks() }) {
		return
	}
	for j := range d.rows {
		switch r := &d.rows[j]; {
		case r.off != notOff || !r.want.locks():
		case r.want.Class == ClassMail:
			r.off = offHeld
			if r.Type == "TXT" {
				r.off = offMail
			}
		default:
			r.off = offMail
		}
	}
	d.note("mail: none is left out: %s has an MX that isn't ours (%s); say mail: none (or keep) in the domain's own entry to settle it",
		d.rows[i].Name, strings.Join(d.rows[i].obs.Data, ", "))
}

// foreignMX finds a row at which others receive mail, unless the entry
// declares what shall stand there.
func (d *differ) foreignMX() int {
	for i := range d.rows {
		r := &d.rows[i]
		if r.Type != "MX" || r.obs == nil || r.own != nil || r.want != nil && r.want.Class == ClassDeclared {
			continue
		}
		locked := len(r.obs.Data) == 1 && r.obs.Data[0] == nullMX
		aliased := slices.ContainsFunc(d.rows, func(x row) bool { return x.Name == r.Name && x.Type == "CNAME" && x.lands() })
		if !locked && !aliased {
			return i
		}
	}
	return -1
}

// locks reports whether w is part of the mail lock, or holds a part of it.
func (w *Want) locks() bool {
	return w != nil && (w.Class == ClassMail || len(w.Lock) > 0)
}

// protectFromCAA leaves derived CAA out where hosts of others live in the
// zone, since it would bind them too (RFC 8659, section 3).
func (d *differ) protectFromCAA() {
	i := slices.IndexFunc(d.rows, func(r row) bool { return r.want != nil && r.want.Class == ClassCAA })
	if i < 0 || d.rows[i].off != notOff {
		return
	}
	var hosts []string
	for j := range d.rows {
		if r := &d.rows[j]; d.foreignHost(r) && !slices.Contains(hosts, r.Name) {
			hosts = append(hosts, r.Name)
		}
	}
	if len(hosts) == 0 {
		return
	}
	d.rows[i].off = offHeld
	d.note("caa: auto is left out: hosts that aren't ours live in the zone (%s), and CAA would bind them too; list the values for this domain to settle it",
		few(hosts))
}

// few lists names, the first three where there are many.
func few(names []string) string {
	if len(names) <= 5 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
}

// foreignHost reports whether r leads to a host that isn't ours and stays.
func (d *differ) foreignHost(r *row) bool {
	switch {
	case r.obs == nil || r.own != nil || r.want != nil || r.inWay:
		return false
	case d.mode == OwnExclusive && r.off == notOff:
		return false
	case strings.HasPrefix(r.Name, "_") || strings.Contains(r.Name, "._"):
		return false
	case slices.Contains(d.des.Domain.DNS.Hosts, r.Name):
		return false
	}
	switch r.Type {
	case "A", "AAAA", "CNAME", "DNAME":
		return true
	}
	return r.Type == "NS" && r.Name != "@"
}
