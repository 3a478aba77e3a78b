package acmeca

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// withoutARI hides from the acme package that a CA gives renewal information:
// it would ask for it, three times over seconds if need be, before it hands out
// a certificate that is there. We ask when that is served.
type withoutARI struct {
	next      http.RoundTripper
	directory string
}

// RoundTrip implements http.RoundTripper.
func (t withoutARI) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil || r.URL.String() != t.directory {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	var dir map[string]json.RawMessage
	if json.Unmarshal(body, &dir) == nil {
		delete(dir, "renewalInfo")
		if body, err = json.Marshal(dir); err != nil {
			return nil, err
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}
