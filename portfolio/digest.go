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
	var doc struct {
		Plan
		Domains savedDomains `json:"domains"` // in place of the plan's
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return Plan{}, fmt.Errorf("the saved plan can't be read: %w", err)
	}
	p := doc.Plan
	p.Domains = doc.Domains
	if p.Version != 1 {
		return Plan{}, fmt.Errorf("the saved plan has version %d, not 1: make it anew with plan --out", p.Version)
	}
	if p.Digest != p.computeDigest() {
		return Plan{}, ErrPlanEdited
	}
	return p, nil
}

// savedDomains share what they have in common, as those of a new plan do.
type savedDomains []DomainPlan

// UnmarshalJSON reads them one by one.
func (s *savedDomains) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	switch first, err := dec.Token(); {
	case err != nil || first == nil: // null
		return err
	case first != json.Delim('['):
		return errors.New("its domains are no list")
	}
	kept := newShared()
	for dec.More() {
		var d DomainPlan
		if err := dec.Decode(&d); err != nil {
			return err
		}
		*s = append(*s, kept.plan(d))
	}
	return nil
}
