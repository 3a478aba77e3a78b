package acmeca

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// RenewalInfo asks the CA when it wants leaf to be renewed (RFC 9773, section
// 4). The error wraps acme.ErrUnsupported where the CA doesn't tell. The acme
// package would refuse a window of a second, which is how a CA may say 'now'.
func (c *CA) RenewalInfo(ctx context.Context, leaf *x509.Certificate) (acme.RenewalInfo, error) {
	var info acme.RenewalInfo
	dir, err := c.directory(ctx)
	if err != nil {
		return info, err
	}
	if dir.RenewalInfo == "" {
		return info, fmt.Errorf("%w: its directory has no renewalInfo", acme.ErrUnsupported)
	}
	id, err := acme.ARIUniqueIdentifier(leaf)
	if err != nil {
		return info, err
	}
	body, header, err := c.get(ctx, strings.TrimSuffix(dir.RenewalInfo, "/")+"/"+id)
	if err != nil {
		return info, fmt.Errorf("asking %s when to renew: %w", c.Host(), err)
	}
	if err := json.Unmarshal(body, &info); err != nil {
		return info, fmt.Errorf("asking %s when to renew: %w", c.Host(), err)
	}
	start, window := info.SuggestedWindow.Start, info.SuggestedWindow.End.Sub(info.SuggestedWindow.Start)
	if start.IsZero() || window <= 0 {
		return info, errors.New(c.Host() + " names no window to renew in")
	}
	info.SelectedTime = start.Add(rand.N(window))
	if again, ok := parseRetryAfter(header.Get("Retry-After"), c.cfg.Now()); ok {
		info.RetryAfter = &again
	}
	return info, nil
}

// get fetches what needs no account.
func (c *CA) get(ctx context.Context, url string) (body []byte, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("User-Agent", c.client.UserAgent)
	resp, err := c.plain.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answered HTTP %d", resp.StatusCode)
	}
	return body, resp.Header, err
}

// maxAnswer bounds what is read of a directory or of renewal information.
const maxAnswer = 64 << 10 // octets

// probeTimeout bounds asking for them.
const probeTimeout = 15 * time.Second
