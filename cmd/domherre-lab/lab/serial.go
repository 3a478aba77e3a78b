package lab

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// maxACME bounds the body of a request to the CA. Real ones have a few kB.
const maxACME = 1 << 20

// oneAtATime hands POST requests to Pebble one by one. Its handlers take the
// locks of its store, orders and authorizations in no common order (v2.10.1:
// Authz holds an authorization and asks for the store, FindValidAuthorization
// the reverse), so that some orders at once leave it locked up for good.
// Validation and issuance go on beside it, without locks that matter.
func oneAtATime(pebble http.Handler) http.Handler {
	var turn sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			pebble.ServeHTTP(w, r)
			return
		}
		// Read first: nobody waits for a slow client.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxACME))
		if err != nil {
			http.Error(w, "the request can't be read", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		turn.Lock()
		defer turn.Unlock()
		pebble.ServeHTTP(w, r)
	})
}
