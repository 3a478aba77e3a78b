package portfolio

import "fmt"

// clearWay marks what must go so that wanted RRsets can be: a CNAME beside
// which nothing else stands (RFC 2181, section 10.1), everything else where a
// CNAME goes, and the providers' own kinds of alias where addresses go.
func (d *differ) clearWay() error {
	for start := 0; start < len(d.rows); {
		end := start + 1
		for end < len(d.rows) && d.rows[end].Name == d.rows[start].Name {
			end++
		}
		if err := d.clearName(d.rows[start:end]); err != nil {
			return err
		}
		start = end
	}
	return d.occluded()
}

// clearName does it for the rows of one name.
func (d *differ) clearName(rows []row) error {
	var cname, addresses, others bool
	for i := range rows {
		if r := &rows[i]; r.lands() {
			cname = cname || r.Type == "CNAME"
			addresses = addresses || r.Type == "A" || r.Type == "AAAA"
			others = others || r.Type != "CNAME"
		}
	}
	for i := range rows {
		r := &rows[i]
		if r.obs == nil || r.lands() {
			continue
		}
		switch r.Type {
		case "CNAME":
			r.inWay = others
		case "ALIAS", "ANAME":
			r.inWay = addresses || cname
		default:
			r.inWay = cname
		}
		if err := d.mayClear(r); err != nil {
			return err
		}
	}
	return nil
}

// lands reports whether a wanted RRset stands at r afterwards.
func (r *row) lands() bool {
	if r.want == nil || r.off == offNever || r.off == offHeld {
		return false
	}
	if r.off == offMail {
		want, _ := splitLock(r)
		return len(want) > 0
	}
	return true
}

func (d *differ) mayClear(r *row) error {
	name := d.des.Domain.Name
	switch {
	case !r.inWay:
		return nil
	case d.mode == OwnNone:
		return fmt.Errorf("%s: %s %s stands in the way of what is wanted there, and with ownership: none nothing is deleted: delete it at the provider, or take %s out of the entry",
			name, r.Name, r.Type, r.Name)
	case r.off != notOff:
		return fmt.Errorf("%s: %s %s stands in the way of what is wanted there, and is never touched: delete it at the provider, or take %s out of the entry",
			name, r.Name, r.Type, r.Name)
	}
	return nil
}

// occluded refuses names that lie below a zone cut or a DNAME, where no
// resolver would ever find them (RFC 1034, section 4.2.1; RFC 6672).
func (d *differ) occluded() error {
	for i := range d.rows {
		cut := &d.rows[i]
		goes := cut.off == notOff && d.mayDelete(cut)
		if cut.obs == nil || cut.want != nil || goes || cut.Type != "DNAME" && (cut.Type != "NS" || cut.Name == "@") {
			continue
		}
		for j := range d.rows {
			r := &d.rows[j]
			below := cut.Type == "NS" && r.Name == cut.Name || belowOwner(r.Name, cut.Name)
			if below && r.lands() {
				return fmt.Errorf("%s: %s can't be reached: %s has %s records that lead elsewhere: delete it at the provider, or take %s out of the entry",
					d.des.Domain.Name, r.Name, cut.Name, cut.Type, r.Name)
			}
		}
	}
	return nil
}

// belowOwner reports whether the owner name lies below the other.
func belowOwner(name, above string) bool {
	if above == "@" {
		return name != "@"
	}
	return len(name) > len(above) && name[len(name)-len(above)-1] == '.' && name[len(name)-len(above):] == above
}
