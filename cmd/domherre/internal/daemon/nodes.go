package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"domherre/check"
	"domherre/cmd/domherre/internal/wire"
	"domherre/config"
	"domherre/portfolio"
	"domherre/state"
)

const (
	nodeEvery  = 10 * time.Second // how often a daemon tells that it is there
	nodeSilent = 30 * time.Second // from then on it isn't
	nodeGone   = 7 * 24 * time.Hour
)

const noticeNode = "node"

// nodeName tells the daemons of a portfolio apart: the machine, and the port
// that visitors come to.
func nodeName(cfg *config.Config) string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	for _, address := range []string{cfg.Listen.HTTPS, cfg.Listen.HTTP, cfg.Listen.Admin} {
		if _, port, err := net.SplitHostPort(address); err == nil {
			return net.JoinHostPort(host, port)
		}
	}
	return host
}

// tellNodes tells the other daemons of this one, and learns of them.
func (d *daemon) tellNodes(ctx context.Context) {
	first := d.current.Load().cfg
	id, name, since := first.Portfolio.ID, nodeName(first), d.now()
	keys, err := d.store.Watch(ctx, wire.NodesPrefix)
	if err != nil {
		d.log.Warn("other daemons show late", "error", err)
	}
	ticker := time.NewTicker(nodeEvery)
	defer ticker.Stop()
	_, changed := d.lead.works()
	d.tellNode(ctx, id, name, since)
	for {
		select {
		case <-ctx.Done():
			bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), leadAgain)
			defer cancel()
			_ = wire.RemoveNode(bye, d.store, id, name) // else it is missed for a while
			return
		case _, ok := <-keys:
			if !ok {
				keys = nil
			}
			d.seeNodes(ctx, id)
		case <-changed:
			_, changed = d.lead.works()
			d.tellNode(ctx, id, name, since)
		case <-ticker.C:
			d.tellNode(ctx, id, name, since)
		}
	}
}

func (d *daemon) tellNode(ctx context.Context, id, name string, since time.Time) {
	n := d.current.Load()
	me := check.Node{Node: name, Since: since.UTC().Truncate(time.Second), Seen: d.now().UTC(), Domains: len(n.domains)}
	for _, e := range n.certs.Inventory() {
		if !e.NotAfter.IsZero() {
			me.Certificates++
		}
	}
	err := d.saveNode(ctx, id, me)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		d.complaints.settled("nodes")
		d.seeNodes(ctx, id)
	case d.complaints.fresh("nodes", rootOf(err).Error()):
		d.log.Warn("other daemons don't know of this one", "error", err)
	}
}

// seeNodes learns of the other daemons.
func (d *daemon) seeNodes(ctx context.Context, id string) {
	nodes, err := wire.LoadNodes(ctx, d.store, id, nodeSilent)
	if err != nil {
		return // tellNode says so
	}
	d.nodes.Store(&nodes)
	d.forgetNodes(ctx, id, nodes)
}

// saveNode says that this daemon leads under its lease alone: one that was frozen
// for a while may not know yet that another one does.
func (d *daemon) saveNode(ctx context.Context, id string, me check.Node) error {
	if lead := d.lead.held(); lead != nil {
		me.Leads = true
		if err := wire.SaveNode(lead, d.store, id, me); err == nil || lead.Err() == nil && !errors.Is(err, state.ErrLeaseLost) {
			return err
		}
		me.Leads = false
	}
	return wire.SaveNode(ctx, d.store, id, me)
}

// forgetNodes removes what was not seen for long; the leader does that.
func (d *daemon) forgetNodes(ctx context.Context, id string, nodes []check.Node) {
	for _, n := range nodes {
		if d.lead.held() != nil && n.State != check.StateOK && d.now().Sub(n.Seen) > nodeGone {
			_ = wire.RemoveNode(ctx, d.store, id, n.Node) // tried again in a moment
		}
	}
}

// fleet lists the daemons that share the state, where there are several.
func (d *daemon) fleet() []check.Node {
	if nodes := d.nodes.Load(); nodes != nil && len(*nodes) > 1 {
		return *nodes
	}
	return nil
}

// followersPlan is what a daemon that follows answers in place of a plan: that
// is made where the lead is.
type followersPlan struct {
	portfolio.Plan        // of no domain
	Leader         string `json:"leader"`
}

// plan is what waits to be done, or who knows.
func (d *daemon) plan() any {
	if !d.follows() {
		return d.book.openPlan()
	}
	leader := "not known"
	for _, n := range d.fleet() {
		if n.Leads {
			leader = n.Node
		}
	}
	return followersPlan{portfolio.NewPlan(d.current.Load().cfg.Portfolio.ID, d.now(), nil), leader}
}

// missingNodes says which daemons aren't there any more, by language.
func (d *daemon) missingNodes(add func(kind, state string, finding, advice told)) {
	var names []string
	for _, n := range d.fleet() {
		if n.State != check.StateOK {
			names = append(names, fmt.Sprintf("%s (%s)", n.Node, n.Seen.UTC().Format(time.RFC3339)))
		}
	}
	if len(names) == 0 {
		return
	}
	list := strings.Join(names, ", ")
	add(noticeNode, check.StateWarning,
		told{"Noder som inte längre hörs av, och när de hördes sist: " + list + ".", "Nodes that are silent, and when they were last seen: " + list + "."},
		told{"Driften: starta dem igen. En nod som inte finns kvar glöms efter en vecka.", "Operations: start them again. A node that is gone for good is forgotten after a week."})
}
