package cli

import (
	"context"
	"errors"
	"os"
	"os/user"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/wire"
	"domherre/portfolio"
	"domherre/state"
)

// open loads the config and opens its rooms.
func (a *app) open(c *cobra.Command) (*wire.Rooms, error) {
	cfg, err := a.load(c)
	if err != nil {
		return nil, err
	}
	thrifty()
	return wire.Open(c.Context(), cfg, a.logger(cfg))
}

// openToRead is open for a command that changes nothing.
func (a *app) openToRead(c *cobra.Command) (*wire.Rooms, error) {
	cfg, err := a.load(c)
	if err != nil {
		return nil, err
	}
	thrifty()
	return wire.OpenToRead(c.Context(), cfg, a.logger(cfg))
}

// thrifty has memory collected earlier than Go's default, for a little time:
// with thousands of zones, most of what a command touches is needed once.
func thrifty() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// domains reads the domains named on the command line; none means all.
func domains(c *cobra.Command, args []string) ([]portfolio.Name, error) {
	var names []portfolio.Name
	for _, arg := range args {
		n, err := portfolio.ParseName(arg)
		if err != nil {
			return nil, usageError(c, err)
		}
		names = append(names, n)
	}
	return names, nil
}

// usageError is wrong usage that an error of the core explains.
func usageError(c *cobra.Command, err error) error {
	if e := (*portfolio.NameError)(nil); errors.As(err, &e) && e.Hint != "" {
		return &exit{exitUsage, hinted(e.Error(), e.Hint)}
	}
	return usage(c, err.Error())
}

// who names the person or process behind a command, for the journal.
func who() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		return name + "@" + host
	}
	return name
}

// leaseWait is how long a command waits for another one to finish.
const leaseWait = 30 * time.Second

// lease takes the right to change zones, and tells who has it meanwhile.
func (a *app) lease(ctx context.Context, r *wire.Rooms, command string) (state.Lease, error) {
	// The lease lives as long as the context that it is asked for with.
	ctx, giveUp := context.WithCancelCause(ctx)
	patience := time.AfterFunc(leaseWait, func() { giveUp(errors.New("it took longer than " + leaseWait.String())) })
	defer patience.Stop()
	var holder *state.HeldError
	lease, err := wire.Lease(ctx, r.Store, r.Config.Portfolio.ID, command, func(h *state.HeldError) {
		holder = h
		a.term.Notef("waiting: %s", h)
	})
	if err != nil && holder != nil {
		return nil, holder
	}
	return lease, err
}

// progress shows a run's progress.
func (a *app) progress(e portfolio.Event) {
	verbs := map[string]string{portfolio.StepObserve: "reading", portfolio.StepWrite: "writing", portfolio.StepVerify: "verifying"}
	a.term.Progress(verbs[e.Step]+" zones", e.Done, e.Total)
}
