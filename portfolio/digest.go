package portfolio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"time"
)

// ErrPlanEdited is the error of a saved plan whose digest doesn't fit what it
// says.
var ErrPlanEdited = errors.New("the saved plan was changed after it was made: make it anew with plan --out")

// computeDigest is "sha256:…" over p's JSON without Made and Digest: equal for
// plans that would do the same to the same zones.
func (p Plan) computeDigest() string {
	p.Made, p.Digest = time.Time{}, ""
	h := sha256.New()
	p.encode(h)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// encode writes what json.Encoder would, a domain at a time: the whole text of
// thousands is megabytes.
func (p Plan) encode(h hash.Hash) {
	const place = `"domains":[`
	domains := p.Domains
	p.Domains = []DomainPlan{}
	// Plans hold strings and numbers alone: encoding them can't fail.
	frame, _ := json.Marshal(p)
	head, tail, _ := bytes.Cut(frame, []byte(place))
	h.Write(append(head, place...))
	for i := range domains {
		if i > 0 {
			h.Write([]byte{','})
		}
		text, _ := json.Marshal(&domains[i])
		h.Write(text)
	}
	h.Write(append(tail, '\n'))
}

// ParsePlan reads a saved plan, as written by encoding/json, and checks that it
// is whole and as it was made.
func ParsePlan(text []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return Plan{}, fmt.Errorf("the saved plan can't be read: %w", err)
	}
	if p.Version != 1 {
		return Plan{}, fmt.Errorf("the saved plan has version %d, not 1: make it anew with plan --out", p.Version)
	}
	if p.Digest != p.computeDigest() {
		return Plan{}, ErrPlanEdited
	}
	return p, nil
}
