package portfolio

import (
	"slices"
	"strings"
)

// singlePolicy gives the kind of policy of which a name holds one at most:
// SPF (RFC 7208, section 3.2), DMARC (RFC 9989), and the key of a DKIM
// selector (RFC 6376, section 3.6.2.2); "" for any other text.
func singlePolicy(owner, text string) string {
	if tag, _, _ := strings.Cut(text, " "); strings.EqualFold(tag, "v=spf1") {
		return "spf"
	}
	tag, _, _ := strings.Cut(text, ";")
	switch {
	case underLabel(owner, "_dmarc") && strings.EqualFold(strings.ReplaceAll(tag, " ", ""), "v=DMARC1"):
		return "dmarc"
	case underLabel(owner, "_domainkey") && strings.Contains(text, "p="):
		return "dkim"
	}
	return ""
}

// underLabel reports whether label is one of owner's labels.
func underLabel(owner, label string) bool {
	i := strings.Index(owner, label)
	if i < 0 {
		return false
	}
	end := i + len(label)
	return (i == 0 || owner[i-1] == '.') && (end == len(owner) || owner[end] == '.')
}

func sameSinglePolicy(owner, a, b string) bool {
	kind := singlePolicy(owner, a)
	return kind != "" && kind == singlePolicy(owner, b)
}

// compareTXT compares a TXT RRset value by value, since others may keep theirs
// at the same name. A foreign value stays, and keeps its TTL, unless it is a
// policy of which the name holds only one and we want another.
func (d *differ) compareTXT(r *row) {
	if r.want == nil && !d.mayDelete(r) {
		return
	}
	var want, held []string
	if r.want != nil {
		want = r.want.Data
	}
	if r.off == offMail {
		want, held = splitLock(r)
	}
	kept, foreign := d.keptValues(r, want, held)
	d.ownTXT(r, want, held)
	if len(want) == 0 && len(kept) == 0 {
		if r.obs != nil {
			d.change(r, nil)
		}
		return
	}
	data, ttl := want, uint32(0)
	if len(kept) > 0 {
		data = sortedSet(slices.Concat(want, kept))
	}
	switch {
	case r.obs != nil && (foreign || len(want) == 0):
		ttl = r.obs.TTL
	case r.want != nil:
		ttl = r.want.TTL
	}
	if r.obs == nil || r.obs.TTL != ttl || !slices.Equal(r.obs.Data, data) {
		d.change(r, &After{TTL: ttl, Data: data})
	}
}

// splitLock parts a TXT row whose mail lock is held into what is wanted
// besides, and the observed values that stay because of it.
func splitLock(r *row) (want, held []string) {
	for _, v := range r.want.Data {
		if !slices.Contains(r.want.Lock, v) {
			want = append(want, v)
		}
	}
	if r.obs == nil {
		return want, nil
	}
	for _, v := range r.obs.Data {
		if slices.ContainsFunc(r.want.Lock, func(lock string) bool { return sameSinglePolicy(r.Name, lock, v) }) {
			held = append(held, v)
		}
	}
	return want, held
}

// keptValues gives the observed values that stay though they aren't in want,
// and whether the RRset is shared with others.
func (d *differ) keptValues(r *row, want, held []string) (kept []string, foreign bool) {
	if r.obs == nil {
		return nil, false
	}
	for _, v := range r.obs.Data {
		if slices.Contains(want, v) {
			continue
		}
		ours := r.own.ours(v)
		switch {
		case slices.Contains(held, v):
		case ours || d.mode == OwnExclusive:
			continue
		case slices.ContainsFunc(want, func(w string) bool { return sameSinglePolicy(r.Name, w, v) }):
			continue
		}
		kept = append(kept, v)
		foreign = foreign || !ours
	}
	return kept, foreign
}

// ownTXT lists the values of ours in the marker: those wanted, and those held
// that were ours already.
func (d *differ) ownTXT(r *row, want, held []string) {
	if d.mode == OwnNone {
		return
	}
	values := want
	for _, v := range held {
		if r.own.ours(v) && !slices.Contains(want, v) {
			values = append(slices.Clip(values), v)
		}
	}
	switch {
	case len(values) == 0:
	case r.own.lists(values):
		d.own(r, r.own.Values)
	default:
		if r.obs != nil && slices.ContainsFunc(want, func(v string) bool { return slices.Contains(r.obs.Data, v) && !r.own.ours(v) }) {
			d.adopt(r)
		}
		d.own(r, hashes(values))
	}
}

// lists reports whether values are exactly those that are ours.
func (o *Owned) lists(values []string) bool {
	return o != nil && len(o.Values) == len(values) && !slices.ContainsFunc(values, func(v string) bool { return !o.ours(v) })
}

// hashes is how a marker lists values.
func hashes(values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = hashValue(v)
	}
	return sortedSet(list)
}
