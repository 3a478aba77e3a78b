package term

import (
	"strings"

	"domherre/check"
)

// nodes writes a line about the daemons that share the state.
func (t *Term) nodes(nodes []check.Node) {
	if len(nodes) == 0 {
		return
	}
	var each []string
	for _, n := range nodes {
		switch {
		case n.State != check.StateOK:
			each = append(each, n.Node+" "+t.paint(bad, "silent since "+moment(n.Seen)))
		case n.Leads:
			each = append(each, n.Node+" leads")
		default:
			each = append(each, n.Node)
		}
	}
	t.Printf("%s: %s.\n", Count(len(nodes), "node"), strings.Join(each, ", "))
}
