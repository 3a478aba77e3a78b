package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"domherre/dnsprovider/zoneio"
)

// Where tokens come from.
const (
	login    = "https://login.microsoftonline.com"
	instance = "http://169.254.169.254/metadata/identity/oauth2/token" // on Azure's machines
)

// tokens gets tokens of an application, by its secret
// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow),
// or else of the machine's managed identity.
type tokens struct {
	settings Settings
	http     http.Client
	instance string

	mu    sync.Mutex
	token string
	until time.Time
}

func newTokens(s Settings) *tokens {
	return &tokens{settings: s, http: http.Client{Transport: zoneio.Transport(nil, nil)}, instance: instance}
}

func (t *tokens) authorize(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Header.Set("Authorization", "Bearer "+t.token)
}

// forget makes the next request get a new token.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = time.Time{}
}

// renew gets a token where there is none that is good for a while.
func (t *tokens) renew(ctx context.Context) error {
	const early = 5 * time.Minute
	t.mu.Lock()
	good := time.Until(t.until) > early
	t.mu.Unlock()
	if good {
		return nil
	}
	req, err := t.request(ctx)
	if err != nil {
		return err
	}
	token, lives, err := t.fetch(req)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.until = token, time.Now().Add(lives)
	return nil
}

func (t *tokens) request(ctx context.Context) (*http.Request, error) {
	s := t.settings
	if s.ClientSecret == "" {
		query := url.Values{"api-version": {"2018-02-01"}, "resource": {management + "/"}}
		if s.ClientID != "" {
			query.Set("client_id", s.ClientID)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.instance+"?"+query.Encode(), nil)
		if err == nil {
			req.Header.Set("Metadata", "true")
		}
		return req, err
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {management + "/.default"},
		"client_id": {s.ClientID}, "client_secret": {s.ClientSecret},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, login+"/"+url.PathEscape(s.TenantID)+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

// fetch gives a token and how long it lives.
func (t *tokens) fetch(req *http.Request) (string, time.Duration, error) {
	resp, err := t.http.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	const longest = 1 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	if err != nil {
		return "", 0, err
	}
	var answer struct {
		Token   string          `json:"access_token"`
		Expires json.RawMessage `json:"expires_in"` // a number, or its digits as text
		Error   string          `json:"error"`
		Reason  string          `json:"error_description"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", 0, zoneio.As(zoneio.Temporary, fmt.Errorf("the answer (HTTP %s) can't be read: %w", resp.Status, err))
	}
	if resp.StatusCode != http.StatusOK || answer.Token == "" {
		reason, _, _ := strings.Cut(answer.Reason, "\n")
		return "", 0, zoneio.As(zoneio.Credentials, fmt.Errorf("refused (HTTP %s): %s %s", resp.Status, answer.Error, reason))
	}
	lives, err := time.ParseDuration(strings.Trim(string(answer.Expires), `"`) + "s")
	if err != nil {
		return "", 0, fmt.Errorf("the answer doesn't tell how long the token lives: %w", err)
	}
	return answer.Token, lives, nil
}
