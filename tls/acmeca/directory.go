package acmeca

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// probe remembers whether the CA could be reached. It keeps a CA that hangs
// from costing every order its whole time: one asks, the others share the
// answer and go on to the next issuer.
type probe struct {
	turn chan struct{} // held while asking; guards at and err
	at   time.Time
	err  error
	dir  atomic.Pointer[acme.Directory]
}

const (
	probeFresh = time.Minute     // a good answer holds for this long
	probeRetry = 5 * time.Second // a bad one for this
	maxSkew    = 1 * time.Hour   // a clock further off orders nothing
)

// Check reports whether the CA answers and agrees with our clock. The error
// is a *Failure. It asks the CA at most every few seconds.
func (c *CA) Check(ctx context.Context) error {
	_, err := c.directory(ctx)
	return err
}

// directory gives the CA's directory, a minute old at most.
func (c *CA) directory(ctx context.Context) (*acme.Directory, error) {
	p := &c.probe
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, &Failure{Kind: Unreachable, Step: "asking " + c.Host(), Err: ctx.Err()}
	}
	age := c.cfg.Now().Sub(p.at).Abs()
	dir := p.dir.Load()
	if dir != nil && p.err == nil && age < probeFresh || p.err != nil && age < probeRetry {
		return dir, p.err
	}
	began := c.cfg.Now()
	dir, err := c.fetchDirectory(ctx)
	if ctx.Err() != nil {
		return nil, &Failure{Kind: Unreachable, Step: "asking " + c.Host(), Err: ctx.Err()}
	}
	p.at, p.err = c.cfg.Now(), nil
	if err != nil {
		p.err = c.failure("asking "+c.Host(), "", began, err)
		return nil, p.err
	}
	p.dir.Store(dir)
	if skew := c.meter.clockSkew(); skew.Abs() > maxSkew {
		p.err = &Failure{Kind: Clock, Step: "comparing clocks with " + c.Host(),
			Err: fmt.Errorf("ours is off by %v", skew.Round(time.Minute))}
	}
	return dir, p.err
}

func (c *CA) fetchDirectory(ctx context.Context) (*acme.Directory, error) {
	body, _, err := c.get(ctx, c.cfg.Directory)
	if err != nil {
		return nil, err
	}
	var dir acme.Directory
	if json.Unmarshal(body, &dir) != nil || dir.NewOrder == "" {
		return nil, fmt.Errorf("%s is not an ACME directory", c.cfg.Directory)
	}
	return &dir, nil
}

func (c *CA) supportsARI() bool {
	dir := c.probe.dir.Load()
	return dir != nil && dir.RenewalInfo != ""
}

// CAAIdentities gives the domain names that the CA knows itself by in CAA
// records, from its directory, or from the store where it was seen before and
// doesn't answer now.
func (c *CA) CAAIdentities(ctx context.Context) ([]string, error) {
	key := path.Join("acme", certmagic.StorageKeys.Safe(c.key), "caa_identities.json")
	dir, err := c.directory(ctx)
	if err == nil {
		if dir.Meta == nil || len(dir.Meta.CAAIdentities) == 0 {
			return nil, fmt.Errorf("%s doesn't say which name it has in CAA records", c.Host())
		}
		c.rememberNames(ctx, key, dir.Meta.CAAIdentities)
		return dir.Meta.CAAIdentities, nil
	}
	var known []string
	if data, loadErr := c.cfg.Storage.Load(ctx, key); loadErr == nil && json.Unmarshal(data, &known) == nil && len(known) > 0 {
		return known, nil
	}
	return nil, err
}

// rememberNames keeps the CA's names in CAA records in the store, where they
// differ from what is there. That they can't be kept is said once.
func (c *CA) rememberNames(ctx context.Context, key string, names []string) {
	data, err := json.Marshal(names)
	if err != nil {
		return
	}
	if kept, err := c.cfg.Storage.Load(ctx, key); err == nil && bytes.Equal(kept, data) {
		return
	}
	err = c.cfg.Storage.Store(ctx, key, data)
	if c.forgetful.Swap(err != nil) || err == nil {
		return
	}
	c.log.Warn("remembering the CA's name in CAA records", "error", err)
}
