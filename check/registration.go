package check

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	dateForm = "2006-01-02"
	ending   = 30 * 24 * time.Hour // how long before the end it is mentioned
)

// Registration is what a registry tells about a domain.
type Registration struct {
	Asked   time.Time `json:"asked"`
	Found   bool      `json:"found"`            // it is registered
	Status  []string  `json:"status,omitempty"` // as in RFC 8056: "server hold"
	Expires time.Time `json:"expires,omitzero"` // zero where the registry hides it
}

// registration judges the domain's contract with its registry. What a registry
// doesn't tell is unknown: never an alarm, and never well.
func (r run) registration(ctx context.Context) []verdict {
	if r.c.Registration == nil {
		return []verdict{r.byCalendar(registryOff, nil)}
	}
	reg, err := r.c.Registration(ctx, r.s.Domain.Name)
	if err != nil {
		return []verdict{r.byCalendar(registrySilent, words{"reason": err})}
	}
	return []verdict{r.registered(reg)}
}

// byCalendar falls back to the date in the domain's own entry, which can warn
// but can't vouch.
func (r run) byCalendar(say sentence, with words) verdict {
	if e := r.s.Domain.Expires; !e.IsZero() && e.Sub(r.now) < ending {
		return verdict{CheckRegistration, StateWarning, endingSoon, r.until(e)}
	}
	return verdict{CheckRegistration, StateUnknown, say, with}
}

func (r run) registered(reg Registration) verdict {
	if !reg.Found {
		return verdict{CheckRegistration, StateBroken, unregistered, nil}
	}
	expires := reg.Expires
	if expires.IsZero() {
		expires = r.s.Domain.Expires
	}
	switch held, leaving := among(reg.Status, "serverhold", "clienthold"),
		among(reg.Status, "pendingdelete", "redemptionperiod"); {
	case leaving != "":
		return verdict{CheckRegistration, StateBroken, beingDeleted, words{"status": leaving}}
	case held != "":
		return verdict{CheckRegistration, StateBroken, onHold, words{"status": held}}
	case expires.IsZero():
		return verdict{CheckRegistration, StateOK, registeredUndated, nil}
	case r.now.After(expires):
		return verdict{CheckRegistration, StateBroken, registrationOver, r.until(expires)}
	case expires.Sub(r.now) < ending:
		return verdict{CheckRegistration, StateWarning, endingSoon, r.until(expires)}
	}
	return verdict{CheckRegistration, StateOK, registeredUntil, r.until(expires)}
}

func (r run) until(date time.Time) words {
	return words{
		"date": date.Format(dateForm),
		"days": strconv.Itoa(int(date.Sub(r.now) / (24 * time.Hour))),
	}
}

// among finds one of the wanted status values. Registries write them as in
// RDAP ("server hold") or as in EPP ("serverHold").
func among(status []string, wanted ...string) string {
	for _, s := range status {
		if slices.Contains(wanted, strings.ToLower(strings.ReplaceAll(s, " ", ""))) {
			return s
		}
	}
	return ""
}
