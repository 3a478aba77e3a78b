package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"domherre/tls/acmeca"
)

// attempt tries the issuers in order; an order at granted is spent already.
// That it tries is written down first: a process that dies here must not start
// over at once, again and again.
func (m *Manager) attempt(ctx context.Context, j job, granted *issuer) {
	r := &j.record
	r.Attempts++
	r.LastTried = m.now()
	r.NextTry = r.LastTried.Add(waitAfter(acmeca.Trouble, false, r.Attempts))
	if err := m.shelf.save(ctx, j.id, *r); err != nil {
		m.stumble(ctx, j.task, err)
		return
	}
	m.update(j.task, func() {
		t := j.task
		t.waiting, t.holds, t.outages, t.poked = "", 0, 0, false
	})
	g, errs := m.issue(ctx, &j, granted)
	if ctx.Err() != nil && g == nil {
		m.update(j.task, func() { j.task.record.Attempts, j.task.record.NextTry = r.Attempts, r.NextTry })
		return // shutting down, or the subject has gone
	}
	if g == nil {
		m.failed(ctx, j, errs)
		return
	}
	m.succeeded(ctx, j, g)
}

// issue asks one issuer after the other, and notes in the record what stands
// against asking them again.
func (m *Manager) issue(ctx context.Context, j *job, granted *issuer) (*generation, []error) {
	if j.unsaved != nil && covered(j.unsaved.leaf.DNSNames, j.names) {
		return j.unsaved, nil // only storing it went wrong
	}
	var errs []error
	var kinds []acmeca.Kind
	for _, iss := range m.issuers {
		if until, why := m.pause(j, iss); until.After(m.now()) {
			if why == "" {
				why = iss.name + ": must be left alone until " + minute(until)
			}
			errs = append(errs, errors.New(why))
			kinds = append(kinds, acmeca.RateLimited)
			continue
		}
		exempt := m.exempt(j, iss)
		var err error
		if iss != granted && !exempt {
			err = m.spendNext(ctx, iss, j)
		}
		var g *generation
		if err == nil {
			g, err = m.issueFrom(ctx, iss, j)
		}
		if err == nil {
			if !exempt {
				j.record.remember(iss, g.leaf.DNSNames, m.now())
			}
			return g, nil
		}
		if ctx.Err() != nil {
			return nil, []error{ctx.Err()}
		}
		errs = append(errs, fmt.Errorf("%s: %w", iss.name, err))
		kinds = append(kinds, m.note(&j.record, iss, err))
	}
	j.record.NextTry = m.nextTry(j, kinds)
	return nil, errs
}

// spendNext spends an order at an issuer that the ones before it have led to.
func (m *Manager) spendNext(ctx context.Context, iss *issuer, j *job) error {
	ok, err := m.spend(ctx, iss, j.task)
	if ok || err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := iss.limits.orders
	return &acmeca.Failure{Kind: acmeca.RateLimited, Step: "placing the order", Until: iss.spent.slots(l, m.now(), 1)[0],
		Err: fmt.Errorf("it allows %d orders per %s", l.Count, span(l.Per))}
}

func (m *Manager) issueFrom(ctx context.Context, iss *issuer, j *job) (*generation, error) {
	if err := iss.can(j.names); err != nil {
		return nil, &acmeca.Failure{Kind: acmeca.Refused, Step: "choosing a challenge", Err: err}
	}
	if err := iss.ca.Check(ctx); err != nil {
		return nil, err
	}
	key, err := newKey(iss.keyType)
	if err != nil {
		return nil, err
	}
	csr, err := newRequest(key, j.names)
	if err != nil {
		return nil, err
	}
	var old *x509.Certificate
	if j.current != nil && j.current.issuerKey == iss.key {
		old, err = x509.ParseCertificate(j.current.leaf())
		if err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, iss.patience)
	defer cancel()
	issued, err := iss.ca.Replace(ctx, csr, old)
	if err != nil {
		m.chargeFailed(ctx, iss, j, err)
		return nil, err
	}
	return newGeneration(meta{Issuer: iss.key, Domain: j.domain, Obtained: m.now()}, key, issued.Certificate, j.names)
}

// chargeFailed counts the orders that an attempt placed beside the one that was
// spent: after a failed validation, one for each further type of challenge.
func (m *Manager) chargeFailed(ctx context.Context, iss *issuer, j *job, err error) {
	var f *acmeca.Failure
	if !errors.As(err, &f) || f.Kind != acmeca.Validation || m.exempt(j, iss) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := m.charge(ctx, iss, max(0, len(iss.challenges())-1)); err != nil {
		m.log.Warn("certificate: counting orders", "ca", iss.name, "error", err)
	}
}

// note remembers what a failure means for the next attempts.
func (m *Manager) note(r *record, iss *issuer, err error) acmeca.Kind {
	var f *acmeca.Failure
	if !errors.As(err, &f) {
		return acmeca.Trouble
	}
	now := m.now()
	switch f.Kind {
	case acmeca.RateLimited:
		until := f.Until
		if until.Before(now.Add(shortestLimit)) && f.Until.IsZero() {
			until = now.Add(max(shortestLimit, nth(waitsPublic, r.Attempts)))
		}
		if latest := now.Add(longestRateLimit); until.After(latest) {
			until = latest
		}
		if r.Limited == nil {
			r.Limited = map[string]time.Time{}
		}
		r.Limited[iss.key] = until
	case acmeca.Validation:
		if r.Failed == nil {
			r.Failed = map[string][]time.Time{}
		}
		r.Failed[iss.key] = append(recentFailures(r.Failed[iss.key], now), now)
	}
	return f.Kind
}

// nextTry gives the time of the next attempt: what the most hopeful issuer
// allows.
func (m *Manager) nextTry(j *job, kinds []acmeca.Kind) time.Time {
	now := m.now()
	var best time.Time
	for i, kind := range kinds {
		iss := m.issuers[i]
		at := now.Add(waitAfter(kind, iss.public, j.record.Attempts))
		if p, _ := m.pause(j, iss); p.After(at) || kind == acmeca.RateLimited {
			at = p
		}
		if best.IsZero() || at.Before(best) {
			best = at
		}
	}
	return best
}

// failed ends an attempt that came to nothing.
func (m *Manager) failed(ctx context.Context, j job, errs []error) {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	j.record.LastError = shown(j.domain) + ": " + strings.Join(texts, "; ")
	m.keepRecord(ctx, j)
	m.log.Warn("no certificate", "domain", shown(j.domain), "error", strings.Join(texts, "; "),
		"attempts", j.record.Attempts, "next_try", j.record.NextTry)
	m.tell(j.task)
}

// succeeded stores g, then serves it. A store that fails costs neither the old
// certificate nor the new one, which is kept to be stored later.
func (m *Manager) succeeded(ctx context.Context, j job, g *generation) {
	ctx = context.WithoutCancel(ctx)
	if err := m.shelf.add(ctx, j.id, g); err != nil {
		m.update(j.task, func() { g.follows, j.task.unsaved = j.task.number(), g })
		j.record.NextTry = m.now().Add(waitAfter(acmeca.Trouble, false, j.record.Attempts))
		m.failed(ctx, j, []error{err})
		return
	}
	s := m.served(g, j.names)
	j.record = record{ARI: j.record.ARI, Issued: j.record.Issued}
	m.update(j.task, func() { j.task.unsaved = nil })
	j.task.put(s)
	m.keepRecord(ctx, j)
	m.log.Info("certificate issued", "domain", shown(j.domain), "names", len(s.names), "issuer", s.issuer, "not_after", s.notAfter())
	if err := m.shelf.prune(ctx, j.id, g.number); err != nil {
		m.log.Warn("certificate: removing old generations", "domain", shown(j.domain), "error", err)
	}
	m.tell(j.task)
	j = m.job(j.task)
	m.refreshWish(ctx, j)
	m.settle(j)
}

// keepRecord publishes and stores the job's record, even where ctx has ended.
func (m *Manager) keepRecord(ctx context.Context, j job) {
	m.update(j.task, func() {
		j.task.record = j.record.clone()
		j.task.due = j.record.NextTry
	})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := m.shelf.save(ctx, j.id, j.record); err != nil {
		m.log.Warn("certificate: remembering what was tried", "domain", shown(j.domain), "error", err)
	}
}

const saveTimeout = 30 * time.Second

// covered reports whether a certificate's names cover all that are wanted.
func covered(have, want []string) bool {
	return !slices.ContainsFunc(want, func(n string) bool { return !covers(have, n) })
}
