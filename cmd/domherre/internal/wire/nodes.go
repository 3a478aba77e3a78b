package wire

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"domherre/check"
)

// NodesPrefix is the folder of the state where daemons tell that they are there.
const NodesPrefix = "nodes"

func nodesKey(portfolioID string) string { return NodesPrefix + "/" + portfolioID }

// nodeKey gives a node's place: its name with other signs than those of host
// names and ports replaced.
func nodeKey(portfolioID, node string) string {
	safe := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, strings.ToLower(node))
	return nodesKey(portfolioID) + "/" + strings.TrimLeft(safe, ".") + ".json"
}

// SaveNode tells the other daemons of this one.
func SaveNode(ctx context.Context, s certmagic.Storage, portfolioID string, n check.Node) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return s.Store(ctx, nodeKey(portfolioID, n.Node), text)
}

// RemoveNode says that a daemon ends.
func RemoveNode(ctx context.Context, s certmagic.Storage, portfolioID, node string) error {
	return s.Delete(ctx, nodeKey(portfolioID, node))
}

// LoadNodes lists the daemons, sorted by name. How long ago each was seen is
// judged by the clock of the state, against the one that was seen last: one that
// lags by silentFor isn't there any more. Of several that lead, as they say, the
// one that was seen last does: the others have died, or don't know yet.
func LoadNodes(ctx context.Context, s certmagic.Storage, portfolioID string, silentFor time.Duration) ([]check.Node, error) {
	keys, err := s.List(ctx, nodesKey(portfolioID), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var nodes []check.Node
	var newest, leader time.Time
	for _, k := range keys {
		n, ok, err := loadNode(ctx, s, k)
		if err != nil {
			return nil, err
		}
		if ok {
			nodes = append(nodes, n)
		}
		if n.Seen.After(newest) {
			newest = n.Seen
		}
		if n.Leads && n.Seen.After(leader) {
			leader = n.Seen
		}
	}
	for i := range nodes {
		n := &nodes[i]
		if n.State = check.StateOK; newest.Sub(n.Seen) > silentFor {
			n.State = check.StateBroken
		}
		n.Leads = n.Leads && n.State == check.StateOK && n.Seen.Equal(leader)
	}
	slices.SortFunc(nodes, func(a, b check.Node) int { return strings.Compare(a.Node, b.Node) })
	return nodes, nil
}

// loadNode reads one; Seen is by the state's clock.
func loadNode(ctx context.Context, s certmagic.Storage, key string) (n check.Node, ok bool, err error) {
	info, err := s.Stat(ctx, key)
	var text []byte
	if err == nil {
		text, err = s.Load(ctx, key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return n, false, nil // it has just ended
	}
	if err != nil {
		return n, false, err
	}
	if json.Unmarshal(text, &n) != nil {
		return n, false, nil
	}
	n.Seen = info.Modified
	return n, true, nil
}
