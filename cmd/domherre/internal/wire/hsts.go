package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/caddyserver/certmagic"

	"domherre/portfolio"
)

// takeBackHSTS makes browsers forget that a host is to be visited by HTTPS
// alone (RFC 6797, section 6.1.1).
const takeBackHSTS = "max-age=0"

// HSTS remembers in the state which domains have sent
// Strict-Transport-Security: browsers keep to that for as long as it said, so
// that switching it off has to be sent too.
type HSTS struct{ Storage certmagic.Storage }

func hstsKey(portfolioID string) string { return "redirect/" + portfolioID + "/hsts.json" }

// Settle gives the domains as they are to be served: those that have HSTS off,
// and had it on, take it back. What is on is remembered. Where the state fails,
// the domains come back as they are, with the error.
func (h HSTS) Settle(ctx context.Context, portfolioID string, domains []portfolio.Domain) ([]portfolio.Domain, error) {
	sent, err := h.load(ctx, portfolioID)
	if err != nil && sent == nil {
		return domains, err
	}
	before := maps.Clone(sent)
	if err != nil { // any may have sent it: taking back what wasn't sent does no harm
		for _, d := range domains {
			sent[d.Name.ASCII()] = "unknown"
		}
	}
	settled := slices.Clone(domains)
	for i := range settled {
		switch name, header := settled[i].Name.ASCII(), &settled[i].Redirect.HSTS; {
		case *header != "" && *header != takeBackHSTS:
			sent[name] = *header
		case sent[name] != "":
			*header = takeBackHSTS
		}
	}
	if maps.Equal(before, sent) {
		return settled, nil
	}
	text, marshalErr := json.Marshal(sent)
	if err = marshalErr; err == nil {
		err = h.Storage.Store(ctx, hstsKey(portfolioID), text)
	}
	if err != nil {
		err = fmt.Errorf("keeping which domains have sent HSTS: %w", err)
	}
	return settled, err
}

// load gives the header that each domain sent last, by A-labels; none, with a
// damagedError, where that is lost.
func (h HSTS) load(ctx context.Context, portfolioID string) (map[string]string, error) {
	sent := map[string]string{}
	text, err := h.Storage.Load(ctx, hstsKey(portfolioID))
	if errors.Is(err, fs.ErrNotExist) {
		return sent, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which domains have sent HSTS: %w", err)
	}
	if err := json.Unmarshal(text, &sent); err != nil {
		return map[string]string{}, &damagedError{hstsKey(portfolioID), err}
	}
	return sent, nil
}
