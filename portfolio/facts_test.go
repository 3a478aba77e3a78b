package portfolio

import "testing"

// A TTL that the provider doesn't know becomes the one that it makes of it, so
// that no plan asks for what can't be.
func TestFactsTTL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		facts Facts
		ttl   uint32
		want  uint32
	}{
		{Facts{}, 5, 5},
		{Facts{MinTTL: 60}, 5, 60},
		{Facts{MinTTL: 60}, 61, 61},
		{Facts{TTLs: []uint32{60, 300}}, 5, 60},
		{Facts{TTLs: []uint32{60, 300}}, 60, 60},
		{Facts{TTLs: []uint32{60, 300}}, 61, 300},
		{Facts{TTLs: []uint32{60, 300}}, 301, 300},
		{Facts{TTLs: []uint32{300}, MinTTL: 600}, 900, 300},
	} {
		if got := c.facts.TTL(c.ttl); got != c.want {
			t.Errorf("%+v makes %d of %d, not %d", c.facts, got, c.ttl, c.want)
		}
	}
}
