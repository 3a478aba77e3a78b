package clouddns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"domherre/dnsprovider/zoneio"
)

const scope = "https://www.googleapis.com/auth/ndev.clouddns.readwrite"

// tokens gets tokens of a service account, or by the application default
// credentials.
type tokens struct {
	file string

	mu    sync.Mutex
	token *oauth2.Token
}

func (t *tokens) authorize(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token.SetAuthHeader(r)
}

// forget makes the next request get a new token.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = nil
}

// renew gets a token where there is none that is good for a while.
func (t *tokens) renew(ctx context.Context) error {
	const early = 5 * time.Minute
	t.mu.Lock()
	good := t.token != nil && time.Until(t.token.Expiry) > early
	t.mu.Unlock()
	if good {
		return nil
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: within{ctx, zoneio.Transport(nil, nil)}})
	credentials, err := t.credentials(ctx)
	if err != nil {
		return zoneio.As(zoneio.Credentials, err)
	}
	token, err := credentials.TokenSource.Token()
	var refusal *oauth2.RetrieveError
	if errors.As(err, &refusal) {
		return zoneio.As(zoneio.Credentials, err)
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = token
	return nil
}

// within makes requests within a call, by its limits: the library drops the
// context of those for tokens.
type within struct {
	call context.Context
	base http.RoundTripper
}

func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.base.RoundTrip(r.WithContext(w.call))
}

func (t *tokens) credentials(ctx context.Context) (*google.Credentials, error) {
	if t.file == "" {
		return google.FindDefaultCredentials(ctx, scope)
	}
	key, err := os.ReadFile(t.file)
	if err != nil {
		return nil, err
	}
	found, err := google.CredentialsFromJSONWithType(ctx, key, google.ServiceAccount, scope)
	if err != nil {
		return nil, fmt.Errorf("%s: it must hold a service account's key: %w", t.file, err)
	}
	return found, nil
}
