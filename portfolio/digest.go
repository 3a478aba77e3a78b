package portfolio

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	// Plans hold strings and numbers alone: encoding them can't fail.
	_ = json.NewEncoder(h).Encode(p)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
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
