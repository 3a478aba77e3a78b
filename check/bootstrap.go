package check

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// bootstrap finds the RDAP service of a TLD in IANA's list (RFC 9224), which
// is fetched when first needed and then once a day.
type bootstrap struct {
	address string

	mu      sync.Mutex
	bases   map[string]string
	err     error
	renewAt time.Time
}

// base gives a TLD's service, "" where the list has none.
func (b *bootstrap) base(ctx context.Context, client *http.Client, tld string, now time.Time) (string, error) {
	if b.address == "" {
		return "", nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !now.Before(b.renewAt) {
		bases, err := fetchBootstrap(ctx, client, b.address)
		if err == nil {
			b.bases, b.err, b.renewAt = bases, nil, now.Add(rdapFresh)
		} else if b.renewAt = now.Add(rdapRetry); b.bases == nil {
			b.err = fmt.Errorf("the list of registries can't be fetched: %w", err)
		}
	}
	return b.bases[tld], b.err
}

func fetchBootstrap(ctx context.Context, client *http.Client, address string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, rdapTimeout)
	defer cancel()
	resp, err := get(ctx, client, address)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", resp.Status)
	}
	return readBootstrap(io.LimitReader(resp.Body, rdapMax))
}

// readBootstrap reads a list: each service is a pair of its TLDs and its
// URLs, of which an https one is preferred.
func readBootstrap(body io.Reader) (map[string]string, error) {
	var doc struct {
		Services [][][]string `json:"services"`
	}
	if err := json.NewDecoder(body).Decode(&doc); err != nil {
		return nil, err
	}
	bases := map[string]string{}
	for _, service := range doc.Services {
		if len(service) != 2 || len(service[1]) == 0 {
			continue
		}
		base := service[1][0]
		for _, u := range service[1] {
			if strings.HasPrefix(u, "https://") {
				base = u
				break
			}
		}
		for _, tld := range service[0] {
			bases[strings.ToLower(tld)] = base
		}
	}
	return bases, nil
}
