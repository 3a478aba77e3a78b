package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/certmagic"

	"domherre/check"
)

// StatusPrefix is the folder of the state that holds the newest reports.
const StatusPrefix = "status"

func statusKey(portfolioID string) string { return StatusPrefix + "/" + portfolioID + ".json" }

// SaveStatus keeps the newest report in the state, for when no daemon runs.
func SaveStatus(ctx context.Context, s certmagic.Storage, portfolioID string, r check.Report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.Store(ctx, statusKey(portfolioID), text)
}

// LoadStatus gives the report that was kept last; ok is false where there is
// none yet.
func LoadStatus(ctx context.Context, s certmagic.Storage, portfolioID string) (r check.Report, ok bool, err error) {
	text, err := s.Load(ctx, statusKey(portfolioID))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("reading the last status from the state: %w", err)
	}
	if json.Unmarshal(text, &r) != nil { // damaged: the next look writes it anew
		return check.Report{}, false, nil
	}
	return r, true, nil
}
