package portfolio

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// touchedFloor is how many domains may lose records at once without the guard
// counting them: in a short list a few are soon a large share.
const touchedFloor = 5

// GuardFacts is what the guard measures a plan by.
type GuardFacts struct {
	MaxDelete float64  // a fraction, 0.30
	Listed    []Domain // the whole list
	Accepted  []Domain // as kept by the AcceptedStore, sorted by A-labels
	Whole     bool     // the run is for all of the list, not for some domains of it
}

// Guard is the policy that refuses what is implausible, with the numbers that
// make it so: single domains in DomainPlan.Refused, the plan as a whole in
// Summary.Refused.
//
// A domain that is still listed is refused where it would lose more than
// MaxDelete of the RRsets that are ours, more than MaxDelete of its mail lock,
// its CAA, or where its apex NS would change; and where the zone was ours and
// is now empty. The plan is refused where the list is empty or has lost more
// than MaxDelete of its domains at once; where all zones that were ours are
// empty; where more than MaxDelete of all our RRsets would go, or more than
// MaxDelete of the domains (from the fifth on) would lose any. One domain that
// left the list never counts.
func Guard(g GuardFacts) Policy {
	return func(p Plan) Plan {
		reasons := append(g.listReasons(), g.emptied(p)...)
		reasons = append(reasons, g.planReasons(p)...)
		p = eachDomain(func(d DomainPlan) (DomainPlan, bool) {
			reasons := g.domainReasons(d)
			if len(reasons) == 0 || d.Refused != "" {
				return d, false
			}
			return d.refuse(strings.Join(reasons, "; ")), true
		})(p)
		p.Summary.Refused = strings.Join(reasons, "; ")
		return p
	}
}

// excess words a share above the limit; it is empty below.
func (g GuardFacts) excess(n, of int, format string) string {
	if n == 0 || float64(n) <= g.MaxDelete*float64(of)+1e-9 {
		return ""
	}
	percent := math.Round(100 * float64(n) / float64(max(of, 1)))
	return fmt.Sprintf(format, n, of) + fmt.Sprintf(" (%.0f%%, allowed %.0f%%)", percent, 100*g.MaxDelete)
}

func nonEmpty(reasons ...string) []string {
	return slices.DeleteFunc(reasons, func(s string) bool { return s == "" })
}

// listReasons judge the list itself.
func (g GuardFacts) listReasons() []string {
	if !g.Whole {
		return nil
	}
	if len(g.Listed) == 0 {
		return []string{"the domain list is empty"}
	}
	listed := make(map[Name]bool, len(g.Listed))
	for i := range g.Listed {
		listed[g.Listed[i].Name] = true
	}
	before, lost := 0, 0
	for i := range g.Accepted {
		if a := &g.Accepted[i]; !a.Leaving {
			before++
			if !listed[a.Name] {
				lost++
			}
		}
	}
	if lost < 2 {
		return nil
	}
	return nonEmpty(g.excess(lost, before, "the domain list has lost %d of its %d domains at once"))
}

// emptied finds that all zones that were ours have gone empty together.
func (g GuardFacts) emptied(p Plan) []string {
	were, empty := 0, 0
	for i := range p.Domains {
		d := &p.Domains[i]
		if d.Err == nil && !d.Leaving && g.ownedBefore(d) > 0 {
			were++
			if !d.holds {
				empty++
			}
		}
	}
	if empty < 2 || empty < were {
		return nil
	}
	return []string{fmt.Sprintf("all %d zones that were managed are suddenly empty at the provider", empty)}
}

// ownedBefore is how many RRsets were ours in the zone when last seen at this
// provider.
func (g GuardFacts) ownedBefore(d *DomainPlan) int {
	i, found := slices.BinarySearchFunc(g.Accepted, d.Name, func(a Domain, n Name) int {
		return strings.Compare(a.Name.ascii, n.ascii)
	})
	if !found || g.Accepted[i].Provider != d.Provider {
		return 0
	}
	return g.Accepted[i].Owned
}

// holdsMore reports whether the zone has more than its delegation.
func (z Zone) holdsMore() bool {
	return slices.ContainsFunc(z.RRsets, func(s RRset) bool { return s.Key() != apexNS })
}

// planReasons count over all domains.
func (g GuardFacts) planReasons(p Plan) []string {
	var owned, lost, losing, listed, touched int
	going := 0
	for i := range p.Domains {
		if d := &p.Domains[i]; d.Leaving && len(d.losses()) > 0 {
			going++
		}
	}
	for i := range p.Domains {
		d := &p.Domains[i]
		if d.Leaving && going == 1 {
			continue
		}
		n := len(d.losses())
		owned, lost = owned+d.Owned, lost+n
		if n > 0 {
			losing++
		}
		if !d.Leaving && d.Owned > 0 {
			listed++
			if n > 0 {
				touched++
			}
		}
	}
	var reasons []string
	if losing > 1 {
		reasons = append(reasons, g.excess(lost, owned, "would delete %d of the portfolio's %d RRsets"))
	}
	if touched >= touchedFloor {
		reasons = append(reasons, g.excess(touched, listed, "would delete records of %d of %d domains"))
	}
	return nonEmpty(reasons...)
}

// losses are the RRsets of ours that the plan takes out of the zone.
func (p *DomainPlan) losses() []Change {
	var lost []Change
	for _, c := range p.Changes {
		if c.Before == nil || !c.Before.Owned && p.Entry.DNS.Ownership != OwnExclusive {
			continue
		}
		_, stays := p.Marker.After.Find(c.Key())
		if c.After == nil || c.Type == "TXT" && !stays {
			lost = append(lost, c)
		}
	}
	return lost
}

// domainReasons judge one domain that is still listed.
func (g GuardFacts) domainReasons(d DomainPlan) []string {
	if d.Leaving || d.Err != nil {
		return nil
	}
	var reasons []string
	if n := g.ownedBefore(&d); n > 0 && d.Pending() && !d.holds {
		what := "the zone is suddenly empty at the provider"
		if d.Zone.Missing {
			what = "the provider suddenly has no such zone"
		}
		reasons = append(reasons, fmt.Sprintf("%s, where %s of ours stood before", what, plural(n, "RRset")))
	}
	if slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Key() == apexNS && c.Op != OpCreate }) {
		reasons = append(reasons, "would change the NS records of the apex, on which the delegation rests")
	}
	lost := d.losses()
	if len(lost) == 0 {
		return reasons
	}
	whole := g.excess(len(lost), d.Owned, "would delete %d of the %d RRsets that are ours")
	if whole == "" {
		mailOwned, mailLost := d.countMail(lost)
		whole = g.excess(mailLost, mailOwned, "would delete %d of the %d RRsets of the mail lock")
	}
	if whole == "" && slices.ContainsFunc(lost, func(c Change) bool { return c.Type == "CAA" }) {
		whole = g.excess(1, 1, "would delete %d of %d CAA RRset")
	}
	return append(reasons, nonEmpty(whole)...)
}

// countMail counts the RRsets of the mail lock that are ours, and those of
// them among lost.
func (p *DomainPlan) countMail(lost []Change) (owned, gone int) {
	for _, s := range p.Zone.RRsets {
		if _, ours := p.Marker.Before.Find(s.Key()); ours && mailLocking(s) {
			owned++
		}
	}
	for _, c := range lost {
		if mailLocking(RRset{Name: c.Name, Type: c.Type, Data: c.Before.Data}) {
			gone++
		}
	}
	return max(owned, gone), gone
}

// mailLocking reports whether s keeps mail from being sent or received.
func mailLocking(s RRset) bool {
	switch s.Type {
	case "MX":
		return slices.Equal(s.Data, []string{nullMX})
	case "TXT":
		return slices.ContainsFunc(s.Data, func(v string) bool { return singlePolicy(s.Name, v) != "" })
	}
	return false
}
