package acmeca

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
	"golang.org/x/sync/errgroup"
)

// proof is one name's authorization and the challenge chosen for it.
type proof struct {
	authz     acme.Authorization
	challenge acme.Challenge
	solver    Solver
	presented bool
	initiated bool // the CA was told to look
}

// parallelNames bounds the requests in flight for one order.
const parallelNames = 8

// cleanUpTimeout bounds the removal of what was presented, which happens even
// when the order has been given up.
const cleanUpTimeout = 15 * time.Second

// authorize proves control over all names of the order (RFC 8555, section
// 7.5): present everything, wait until it is there, tell the CA, and poll.
func (w *walk) authorize(ctx context.Context, order acme.Order) error {
	proofs, err := w.authorizations(ctx, order)
	if err != nil {
		return err
	}
	defer w.cleanUp(ctx, proofs)
	for _, step := range []func(context.Context, *proof) error{w.present, w.await, w.validate} {
		if err := each(ctx, proofs, step); err != nil {
			w.abandon(ctx, proofs)
			return err
		}
	}
	for _, p := range proofs {
		w.ca.worked(p.solver.Type)
	}
	return nil
}

func each(ctx context.Context, proofs []*proof, step func(context.Context, *proof) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelNames)
	for _, p := range proofs {
		g.Go(func() error { return step(ctx, p) })
	}
	return g.Wait()
}

// authorizations fetches those that are still to be proved.
func (w *walk) authorizations(ctx context.Context, order acme.Order) ([]*proof, error) {
	all := make([]*proof, len(order.Authorizations))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelNames)
	for i, url := range order.Authorizations {
		g.Go(func() error {
			authz, err := persist(gctx, func() (acme.Authorization, error) {
				return w.ca.client.GetAuthorization(gctx, w.acct, url)
			})
			all[i] = &proof{authz: authz}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, w.failure("fetching the authorizations", "", err)
	}
	var pending []*proof
	for _, p := range all {
		if p.authz.Status == acme.StatusValid {
			continue
		}
		if err := w.pick(p); err != nil {
			return nil, err
		}
		pending = append(pending, p)
	}
	return pending, nil
}

// pick chooses the first challenge that both sides can do.
func (w *walk) pick(p *proof) error {
	var offered []string
	for _, s := range w.solvers {
		for _, ch := range p.authz.Challenges {
			if ch.Type == s.Type {
				p.challenge, p.solver = ch, s
				return nil
			}
		}
	}
	for _, ch := range p.authz.Challenges {
		offered = append(offered, ch.Type)
	}
	return &Failure{Kind: Refused, Step: "choosing a challenge", Name: name(p.authz),
		Err: fmt.Errorf("the CA offers %s only; set challenge for this issuer", strings.Join(offered, ", "))}
}

func (w *walk) present(ctx context.Context, p *proof) error {
	p.presented = true // even a failed call may have left something behind
	if err := p.solver.Present(ctx, p.challenge); err != nil {
		return &Failure{Kind: Trouble, Step: "preparing " + p.solver.Type, Name: name(p.authz), Err: err}
	}
	return nil
}

func (w *walk) await(ctx context.Context, p *proof) error {
	waiter, ok := p.solver.Solver.(acmez.Waiter)
	if !ok {
		return nil
	}
	if err := waiter.Wait(ctx, p.challenge); err != nil {
		return &Failure{Kind: Trouble, Step: "waiting for " + p.solver.Type + " to be served", Name: name(p.authz), Err: err}
	}
	return nil
}

// validate tells the CA to look, and waits for what it saw.
func (w *walk) validate(ctx context.Context, p *proof) error {
	step := "validation by " + p.solver.Type
	p.initiated = true
	_, err := persist(ctx, func() (acme.Challenge, error) {
		return w.ca.client.InitiateChallenge(ctx, w.acct, p.challenge)
	})
	if err != nil {
		return w.failure(step, name(p.authz), err)
	}
	if err := w.poll(ctx, p); err != nil {
		return w.failure(step, name(p.authz), err)
	}
	return nil
}

// poll waits until the CA has made up its mind about a name.
func (w *walk) poll(ctx context.Context, p *proof) error {
	for pause := firstPoll; ; pause = min(pause*2, lastPoll) {
		if err := sleep(ctx, pause); err != nil {
			return fmt.Errorf("the CA didn't say in time what it saw: %w", err)
		}
		authz, err := persist(ctx, func() (acme.Authorization, error) {
			return w.ca.client.GetAuthorization(ctx, w.acct, p.authz.Location)
		})
		if err != nil {
			return err
		}
		p.authz = authz
		switch authz.Status {
		case acme.StatusValid:
			return nil
		case acme.StatusPending:
			continue
		}
		for _, ch := range authz.Challenges {
			if ch.Error != nil {
				return *ch.Error
			}
		}
		return fmt.Errorf("the authorization is %s, the CA doesn't say why", authz.Status)
	}
}

// Pauses between looks at something that the CA works on: short at first,
// since most is done at once.
const (
	firstPoll = 50 * time.Millisecond
	lastPoll  = 4 * time.Second
)

// cleanUp removes what was presented, order or no order.
func (w *walk) cleanUp(ctx context.Context, proofs []*proof) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	err := each(ctx, proofs, func(ctx context.Context, p *proof) error {
		if !p.presented {
			return nil
		}
		if err := p.solver.CleanUp(ctx, p.challenge); err != nil {
			w.ca.log.Warn("removing a challenge", "name", name(p.authz), "challenge", p.solver.Type, "error", err)
		}
		return nil
	})
	if err != nil {
		w.ca.log.Warn("removing challenges", "error", err)
	}
}

// abandon frees the authorizations of a failed order that would stay pending at
// the CA, which allows only so many. Those that the CA has begun to look at end
// by themselves, and save work if they end well. It is a courtesy: failing is
// no error.
func (w *walk) abandon(ctx context.Context, proofs []*proof) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // shutting down: they expire by themselves
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := each(ctx, proofs, func(ctx context.Context, p *proof) error {
		if p.initiated {
			return nil
		}
		_, err := w.ca.client.DeactivateAuthorization(ctx, w.acct, p.authz.Location)
		return err
	})
	if err != nil {
		w.ca.log.Debug("deactivating authorizations", "error", err)
	}
}

// name gives the authorization's name, with the star of a wildcard.
func name(a acme.Authorization) string { return a.IdentifierValue() }
