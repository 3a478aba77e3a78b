package daemon

import (
	"context"
	"encoding/json"
	"time"

	"domherre/cmd/domherre/internal/wire"
)

const (
	// holdAtMost is how long a change must hold until it is told; less, where
	// the checks come more often.
	holdAtMost = time.Minute
	// quietAfter is how many times that no other message follows one.
	quietAfter = 10
	// considerOften is how many times within that it is looked.
	considerOften = 4
)

// hold is how long a change must hold until it is told.
func hold(n *generation) time.Duration { return min(holdAtMost, n.cfg.Check.Every) }

// notifyLoop tells people what breaks and what works again: one message for
// all that changed, and none about what was told already, by this process or
// the one that led before.
func (d *daemon) notifyLoop(ctx context.Context) {
	var a *alarms
	for {
		n := d.current.Load()
		timer := time.NewTimer(hold(n) / considerOften)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		switch {
		case d.follows() || len(n.cfg.Notify) == 0:
			a = nil // another may tell meanwhile
			continue
		case a == nil:
			a = newAlarms(d.loadTold(ctx, n))
		}
		d.consider(ctx, n, a)
	}
}

// consider sends what is due.
func (d *daemon) consider(ctx context.Context, n *generation, a *alarms) {
	hold := hold(n)
	due := a.due(d.now(), subjectsOf(d.report(), n.cfg.TLS.Issuers[0].Internal), hold)
	if len(due) == 0 {
		return
	}
	title, text := message(n.cfg.Campaign, n.cfg.Language, due)
	reached, err := wire.Send(n.cfg, title, text)
	if err == nil {
		d.complaints.settled("notify")
	} else if d.complaints.fresh("notify", err.Error()) {
		n.log.Error("a notification could not be sent", "error", err)
	}
	if !reached {
		a.tell(d.now(), nil, quietAfter*hold) // tried again, but not at once
		return
	}
	n.log.Info("notified", "subjects", len(due), "title", title)
	a.tell(d.now(), due, quietAfter*hold)
	d.saveTold(ctx, n, a.told)
}

func toldKey(n *generation) string { return "notify/" + n.cfg.Portfolio.ID + ".json" }

// loadTold reads what was told last; nothing, where that can't be read.
func (d *daemon) loadTold(ctx context.Context, n *generation) map[string]grade {
	told := map[string]grade{}
	text, err := d.store.Load(ctx, toldKey(n))
	if err != nil || json.Unmarshal(text, &told) != nil {
		return map[string]grade{}
	}
	return told
}

func (d *daemon) saveTold(ctx context.Context, n *generation, told map[string]grade) {
	text, err := json.Marshal(told)
	if err == nil {
		err = d.store.Store(ctx, toldKey(n), text)
	}
	if err != nil && ctx.Err() == nil && d.complaints.fresh("told", rootOf(err).Error()) {
		n.log.Warn("what was notified isn't kept: after a restart it is told again", "error", err)
	}
}
