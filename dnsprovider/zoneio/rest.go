package zoneio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// REST calls an HTTP API that speaks JSON, through http.DefaultTransport.
// Refusals have their kinds, as by Transport.
type REST struct {
	http      http.Client
	authorize func(*http.Request)
}

// NewREST makes a client whose requests are authorized so.
func NewREST(authorize func(*http.Request)) *REST {
	return &REST{http.Client{Transport: Transport(nil, nil)}, authorize}
}

// Answer is what an API answered, read whole.
type Answer struct {
	Status int
	Header http.Header
	body   []byte
}

// longestAnswer is more than any has: a thousand records are some 400 KiB.
const longestAnswer = 32 << 20

// Call makes one request; body nil is none.
func (c *REST) Call(ctx context.Context, method, url string, body any) (*Answer, error) {
	var given io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		given = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, given)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", req.URL.Host, err)
	}
	return &Answer{resp.StatusCode, resp.Header, text}, nil
}

// Decode reads the answer's JSON. What is none comes of a machine before the
// API, or was cut off: it may pass.
func (a *Answer) Decode(v any) error {
	if err := json.Unmarshal(a.body, v); err != nil {
		return As(Temporary, fmt.Errorf("the answer (HTTP %d) can't be read: %w", a.Status, err))
	}
	return nil
}

// Text is the start of the answer, for messages.
func (a *Answer) Text() string {
	const enough = 512
	return string(bytes.ToValidUTF8(a.body[:min(len(a.body), enough)], []byte("?")))
}
