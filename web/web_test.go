package web

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"domherre/check"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// ask sends a request as if it had come in on loopback.
func ask(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:8480"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func from(report check.Report) Options {
	return Options{
		Status: func(context.Context) (check.Report, error) { return report, nil },
		Now:    func() time.Time { return noon },
	}
}

func live(domain, ascii string) check.DomainStatus {
	d := check.DomainStatus{Domain: domain, ASCII: ascii, Live: true, State: check.StateLive}
	for _, name := range []string{check.CheckDelegation, check.CheckRecords, check.CheckCertificate, check.CheckRedirect} {
		d.Checks = append(d.Checks, check.Result{Check: name, State: check.StateOK, Since: noon})
	}
	return d
}

func TestAPI(t *testing.T) {
	t.Parallel()
	o := from(check.Report{Version: 1, Campaign: "Du avgör!", Domains: []check.DomainStatus{live("köpasex.example", "xn--kpasex-wxa.example")}})
	o.Plan = func(context.Context) (any, error) { return map[string]int{"version": 1}, nil }
	o.Hits = func(_ context.Context, since string) (any, error) {
		if since == "" {
			return nil, errors.New("the store cannot be read")
		}
		return since, nil
	}
	h := New(o)

	w := ask(h, "GET", "/api/v1/status")
	var got check.Report
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("status: %d, %v in %s", w.Code, err, w.Body)
	}
	if len(got.Domains) != 1 || got.Domains[0].Domain != "köpasex.example" || !got.Domains[0].Live {
		t.Errorf("status: got %+v", got)
	}
	if w := ask(h, "GET", "/api/v1/plan"); w.Code != 200 || w.Body.String() != "{\n  \"version\": 1\n}\n" {
		t.Errorf("plan: %d %q", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/hits"); w.Code != 503 || !strings.Contains(w.Body.String(), "the store cannot be read") {
		t.Errorf("hits: %d %q", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/hits?since=2026-11-24"); w.Code != 200 || w.Body.String() != "\"2026-11-24\"\n" {
		t.Errorf("hits since a day: %d %q", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/hits?since=yesterday"); w.Code != 400 || !strings.Contains(w.Body.String(), "2026-11-24") {
		t.Errorf("hits since no day: %d %q", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/certificates"); w.Code != 404 {
		t.Errorf("certificates without a source: %d", w.Code)
	}
}

func TestMethodsAndHeaders(t *testing.T) {
	t.Parallel()
	h := New(from(check.Report{}))
	for _, path := range []string{"/", "/domains/kopasex.se", "/api/v1/status", "/healthz", "/nothing"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			if w := ask(h, method, path); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
		w := ask(h, "GET", path)
		for name, want := range map[string]string{
			"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	if w := ask(h, "GET", "/style.css"); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: %d %v", w.Code, w.Header())
	}
}

func TestRebinding(t *testing.T) {
	t.Parallel()
	h := New(from(check.Report{}))
	for host, want := range map[string]int{
		"127.0.0.1:8480": 200, "127.0.0.1": 200, "[::1]:8480": 200, "localhost:8480": 200, "LOCALHOST": 200, "127.9.9.9": 200,
		"kopasex.se": 403, "kopasex.se:8480": 403, "127.0.0.1.kopasex.se": 403, "192.0.2.1:8480": 403, "": 403,
		"localhost.kopasex.se": 403, "0.0.0.0:8480": 403,
	} {
		if got := ask(h, "GET", "/", "Host", host).Code; got != want {
			t.Errorf("Host %q: got %d, want %d", host, got, want)
		}
	}
}

func TestWithoutTokenOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]int{"127.0.0.1": 200, "::1": 200, "192.0.2.1": 403} {
		r := httptest.NewRequest("GET", "http://127.0.0.1/", nil)
		addr := net.Addr(&net.TCPAddr{IP: net.ParseIP(address), Port: 8480})
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
		w := httptest.NewRecorder()
		New(from(check.Report{})).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("a listener on %s: got %d, want %d", address, w.Code, want)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	o := from(check.Report{})
	o.Token = "s3cret-token"
	o.Metrics = NewMetrics()
	o.Ready = []Readiness{{Name: "store", Check: func(context.Context) error { return errors.New("no such folder") }}}
	h := New(o)
	basic := httptest.NewRequest("GET", "/", nil)
	basic.SetBasicAuth("anyone", o.Token)
	wrong := httptest.NewRequest("GET", "/", nil)
	wrong.SetBasicAuth(o.Token, "")
	for _, path := range []string{"/", "/api/v1/status", "/metrics", "/style.css", "/domains/x"} {
		for credentials, refused := range map[string]bool{
			"": true, "Bearer": true, "Bearer ": true, "Bearer s3cret": true, "Bearer s3cret-token2": true,
			"s3cret-token": true, wrong.Header.Get("Authorization"): true,
			"Bearer s3cret-token": false, "bearer s3cret-token": false, basic.Header.Get("Authorization"): false,
		} {
			// With a token, the name in Host doesn't matter.
			w := ask(h, "GET", path, "Authorization", credentials, "Host", "status.example")
			if (w.Code == 401) != refused {
				t.Errorf("%s with %q: %d", path, credentials, w.Code)
			}
			if refused && w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: refused without WWW-Authenticate", path)
			}
		}
	}
	if w := ask(h, "GET", "/healthz"); w.Code != 200 {
		t.Errorf("healthz: %d", w.Code)
	}
	if w := ask(h, "GET", "/readyz"); w.Code != 503 || w.Body.String() != "store\n" {
		t.Errorf("readyz for strangers: %d %q", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/readyz", "Authorization", "Bearer s3cret-token"); w.Body.String() != "store: no such folder\n" {
		t.Errorf("readyz with the token: %q", w.Body)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	o := from(check.Report{})
	o.Ready = []Readiness{{Name: "store", Check: func(context.Context) error { return nil }}}
	if w := ask(New(o), "GET", "/readyz"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}
