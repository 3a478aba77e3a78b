package term

import (
	"bytes"
	"testing"

	"domherre/portfolio"
)

// One at a time or as a whole, the text is the same.
func TestWriteDomains(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 50} {
		p := planOf(t, n, nil, func(i int, z *portfolio.Zone) { z.RRsets = z.RRsets[i%3:] })
		p.Portfolio = `a <"domains": []> portfolio`
		var whole, parts bytes.Buffer
		if err := (&Term{Out: &whole}).JSON(p); err != nil {
			t.Fatal(err)
		}
		frame := p
		frame.Domains = []portfolio.DomainPlan{}
		if err := WriteDomains(&parts, frame, n, func(i int) any { return p.Domains[i] }); err != nil {
			t.Fatal(err)
		}
		if whole.String() != parts.String() {
			t.Errorf("%d domains:\n%s\nnot\n%s", n, &parts, &whole)
		}
	}
}
