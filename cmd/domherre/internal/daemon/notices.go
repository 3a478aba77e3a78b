package daemon

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"domherre/check"
	"domherre/portfolio"
)

// Kinds of notices: what concerns the campaign and not one domain.
const (
	noticeState    = "state"    // it can't be written
	noticeConfig   = "config"   // the one on disk has faults
	noticeGuard    = "guard"    // waits for a person
	noticeProvider = "provider" // zones can't be reconciled
	noticeLeaving  = "leaving"  // domains that left the list
)

// told is a text in both languages of the page.
type told struct{ sv, en string }

func (t told) in(language string) string {
	if language == "sv" {
		return t.sv
	}
	return t.en
}

// notices are what must be said of the whole, in the config's language.
func (d *daemon) notices(n *generation) []check.Result {
	var all []check.Result
	add := func(kind, state string, finding, advice told) {
		all = append(all, check.Result{Check: kind, State: state, Finding: finding.in(n.cfg.Language), Advice: advice.in(n.cfg.Language)})
	}
	if d.degraded.Load() != nil {
		add(noticeState, check.StateBroken,
			told{"Tillståndet kan inte skrivas: det som redan finns fungerar, men inget kan ändras eller förnyas.", "The state can't be written: what is there goes on working, but nothing can be changed or renewed."},
			told{"Driften: se efter om disken är full eller skrivskyddad; Domherres logg säger mer.", "Operations: see whether the disk is full or read-only; Domherre's log says more."})
	}
	if faults := d.faults.Load(); faults != nil {
		finding, advice := faulty(*faults)
		add(noticeConfig, check.StateWarning, finding, advice)
	}
	if refused := d.book.refusals(); len(refused) > 0 {
		why := strings.Join(refused, "; ")
		add(noticeGuard, check.StateWarning,
			told{"Spärren väntar på en människa: " + check.Reason("sv", why), "The guard waits for a person: " + why},
			told{"Driften: se 'domherre plan', och godkänn med 'domherre apply --force' om det är meningen.", "Operations: see 'domherre plan', and approve it with 'domherre apply --force' if it is meant."})
	}
	if failed := d.book.failures(); len(failed) > 0 {
		why := n.cfg.Redact(commonest(failed))
		add(noticeProvider, check.StateWarning,
			told{fmt.Sprintf("Domäner vars zoner inte kan hållas i ordning: %d (%s).", len(failed), check.Reason("sv", why)), fmt.Sprintf("Domains whose zones can't be kept in order: %d (%s).", len(failed), why)},
			told{"Driften: kontrollera DNS-leverantören och dess nycklar; 'domherre plan' visar felet för varje domän.", "Operations: check the DNS provider and its keys; 'domherre plan' shows the error of each domain."})
	}
	if len(n.leaving) > 0 {
		names := listed(n.leaving)
		add(noticeLeaving, check.StateWarning,
			told{"Har lämnat listan, men leder fortfarande vidare och förnyas: " + names + ".", "Left the list, but still lead on and are renewed: " + names + "."},
			told{"Driften: 'domherre apply --prune' tar bort deras poster. Ska de vara kvar, skriv in dem i domänfilen igen.", "Operations: 'domherre apply --prune' removes their records. If they are to stay, write them into the domain file again."})
	}
	d.missingNodes(add)
	return d.since.date(d.now(), append(all, d.leaderNotices()...))
}

// commonest gives the cause that most domains share.
func commonest(failed map[string]string) string {
	counts := map[string]int{}
	for _, why := range failed {
		counts[why]++
	}
	best := ""
	for why, n := range counts {
		if n > counts[best] || n == counts[best] && why < best {
			best = why
		}
	}
	return best
}

// listed names some domains, and how many more there are.
func listed(domains []portfolio.Domain) string {
	const most = 5
	var names []string
	for _, d := range domains[:min(len(domains), most)] {
		names = append(names, d.Name.Unicode())
	}
	text := strings.Join(names, ", ")
	if more := len(domains) - most; more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}

// beginnings remember since when each kind of notice stands.
type beginnings struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// date fills in Since, and forgets the kinds that are no more.
func (b *beginnings) date(now time.Time, notices []check.Result) []check.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := make(map[string]time.Time, len(notices))
	for i := range notices {
		kind := notices[i].Check
		next[kind] = now
		if before, ok := b.since[kind]; ok {
			next[kind] = before
		}
		notices[i].Since = next[kind]
	}
	b.since = next
	return slices.Clip(notices)
}
