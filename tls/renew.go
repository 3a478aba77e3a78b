package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

const (
	ariDefault     = 6 * time.Hour // when to ask again if the CA doesn't say
	ariSoonest     = time.Minute
	ariLatest      = 24 * time.Hour // RFC 9773, section 4.3.2: at most a day
	ariAfterError  = time.Hour
	ariUnsupported = 7 * 24 * time.Hour // when to look whether a CA has begun to tell
	ariTimeout     = time.Minute
	notYetValid    = 5 * time.Minute // a certificate from the future is no use; clocks may differ a little
	latestFraction = 10              // an ARI wish is heard up to 1/10 of the lifetime before the end
)

// needed reports whether an order is due: no certificate, one that lacks a
// name, is nobody's that is configured, isn't valid yet, or whose time has
// come.
func (m *Manager) needed(j job) bool {
	c := j.current
	if c == nil || c.number <= j.replace || !covered(c.names, j.names) {
		return true
	}
	if !slices.ContainsFunc(m.issuers, func(i *issuer) bool { return i.key == c.issuerKey }) {
		return true
	}
	now := m.now()
	if c.notBefore().After(now.Add(notYetValid)) {
		return true
	}
	at, _ := m.renewAt(c, j.record.ARI)
	return !at.After(now)
}

// renewAt says when to renew c, and whether that is the CA's wish.
func (m *Manager) renewAt(c *served, wish *renewalWish) (time.Time, bool) {
	lifetime := c.notAfter().Sub(c.notBefore())
	if wish != nil && wish.Serial == c.serial() && !wish.At.IsZero() {
		if latest := latestRenewal(c); wish.At.After(latest) {
			return latest, false
		}
		return wish.At, true
	}
	left := time.Duration(float64(lifetime) * m.o.RenewBefore)
	return c.notAfter().Add(-left - spread(c.serial(), lifetime/50)), false
}

// latestRenewal is the time from which no wish puts a renewal off.
func latestRenewal(c *served) time.Time {
	return c.notAfter().Add(-c.notAfter().Sub(c.notBefore()) / latestFraction)
}

// spread gives a duration below most that is always the same for a serial, so
// that what was issued together isn't all renewed together.
func spread(serial string, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(serial))
	return time.Duration(h.Sum64() % uint64(most))
}

// refreshWish asks the CA when it wants the certificate renewed, if that is
// due. A CA that can't be asked changes nothing.
func (m *Manager) refreshWish(ctx context.Context, j job) {
	iss := m.issuerOf(j.current)
	if iss == nil || iss.internal != nil || m.now().Before(m.askAt(j.current, j.record.ARI)) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ariTimeout)
	defer cancel()
	info, err := renewalInfo(ctx, iss, j.current)
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	wish := m.wish(j, info, err)
	m.log.Debug("certificate: asked when to renew", "domain", shown(j.domain), "at", wish.At, "ask_at", wish.AskAt, "error", err)
	m.update(j.task, func() { j.task.record.ARI = &wish })
	if err != nil && !errors.Is(err, acme.ErrUnsupported) {
		return // nothing to remember
	}
	if err := m.saveWish(context.WithoutCancel(ctx), j.task, wish); err != nil {
		m.log.Debug("certificate: remembering when to renew", "domain", shown(j.domain), "error", err)
	}
}

// saveWish enters a wish into the record as the store has it: another process may
// just have issued, and told in the record what that took of the CA's limits.
func (m *Manager) saveWish(ctx context.Context, t *task, wish renewalWish) error {
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	r, err := m.shelf.load(ctx, t.id, m.now())
	if err != nil {
		return err
	}
	r.ARI = &wish
	m.update(t, func() { t.record = r.clone() })
	return m.shelf.save(ctx, t.id, r)
}

func renewalInfo(ctx context.Context, iss *issuer, c *served) (acme.RenewalInfo, error) {
	if err := iss.ca.Check(ctx); err != nil {
		return acme.RenewalInfo{}, err
	}
	leaf, err := x509.ParseCertificate(c.leaf())
	if err != nil {
		return acme.RenewalInfo{}, err
	}
	return iss.ca.RenewalInfo(ctx, leaf)
}

func (m *Manager) issuerOf(c *served) *issuer {
	for _, i := range m.issuers {
		if c != nil && i.key == c.issuerKey {
			return i
		}
	}
	return nil
}

// askAt says when the CA is next to be asked about c.
func (m *Manager) askAt(c *served, wish *renewalWish) time.Time {
	if wish == nil || wish.Serial != c.serial() {
		return time.Time{}
	}
	return wish.AskAt
}

// wish turns the CA's answer into what is kept. The time is chosen once per
// window: chosen anew at each answer, it would creep towards the start.
func (m *Manager) wish(j job, info acme.RenewalInfo, err error) renewalWish {
	now := m.now()
	old := j.record.ARI
	w := renewalWish{Serial: j.current.serial(), AskAt: now.Add(jitter(ariDefault))}
	if err != nil {
		if old != nil && old.Serial == w.Serial {
			w = *old
		}
		w.AskAt = now.Add(jitter(ariAfterError))
		if errors.Is(err, acme.ErrUnsupported) {
			w.AskAt = now.Add(ariUnsupported)
		}
		return w
	}
	w.Start, w.End, w.At, w.Why = info.SuggestedWindow.Start, info.SuggestedWindow.End, info.SelectedTime, info.ExplanationURL
	if old != nil && old.Serial == w.Serial && old.Start.Equal(w.Start) && old.End.Equal(w.End) {
		w.At = old.At
	}
	if info.RetryAfter != nil {
		w.AskAt = now.Add(min(max(info.RetryAfter.Sub(now), ariSoonest), ariLatest))
	}
	return w
}

// settle ends a step whose task needs nothing now.
func (m *Manager) settle(j job) {
	m.update(j.task, func() {
		t := j.task
		c := t.cert.Load()
		if c == nil {
			return
		}
		t.waiting, t.holds, t.poked = "", 0, false
		t.due, _ = m.renewAt(c, t.record.ARI)
		if iss := m.issuerOf(c); iss != nil && iss.internal == nil {
			if ask := m.askAt(c, t.record.ARI); ask.Before(t.due) {
				t.due = ask
			}
		}
	})
}
