package acmeca

import (
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A window may be a second long and over, which means now; one that ends before
// it begins means nothing.
func TestRenewalInfo(t *testing.T) {
	t.Parallel()
	leaf := &x509.Certificate{SerialNumber: big.NewInt(0x87654321), AuthorityKeyId: []byte{1, 2, 3}}
	for body, ok := range map[string]bool{
		`{"suggestedWindow": {"start": "2026-11-24T10:00:00Z", "end": "2026-11-24T10:00:01Z"}}`: true,
		`{"suggestedWindow": {"start": "2027-01-22T00:00:00Z", "end": "2027-01-24T00:00:00Z"}}`: true,
		`{"suggestedWindow": {"start": "2027-01-24T00:00:00Z", "end": "2027-01-22T00:00:00Z"}}`: false,
		`{"suggestedWindow": {"start": "soon", "end": "later"}}`:                                false,
		`{}`: false, `"`: false,
	} {
		c := testCA(t)
		asked := ""
		c.plain.Transport = answers(func(r *http.Request) (*http.Response, error) {
			answer := body
			if r.URL.Path == "/dir" {
				answer = `{"newOrder": "https://ca.test/order", "renewalInfo": "https://ca.test/ari"}`
			} else {
				asked = r.URL.Path
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Retry-After": {"21600"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
		})
		info, err := c.RenewalInfo(t.Context(), leaf)
		if (err == nil) != ok || !strings.HasPrefix(asked, "/ari/AQID.") {
			t.Errorf("%s: %v, asked %s", body, err, asked)
		}
		w := info.SuggestedWindow
		if ok && (info.SelectedTime.Before(w.Start) || !info.SelectedTime.Before(w.End) || time.Until(*info.RetryAfter).Round(time.Hour) != 6*time.Hour) {
			t.Errorf("%s: %s", body, fmt.Sprint(info))
		}
	}
}
