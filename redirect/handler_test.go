package redirect

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// testSites are the sites of most tests.
func testSites() []Site {
	return []Site{
		{Domain: "kopasex.se", Hosts: []string{"kopasex.se", "www.kopasex.se"}, Target: frontend, HSTS: "max-age=31536000"},
		{Domain: "xn--kpasex-wxa.example", Hosts: []string{"xn--kpasex-wxa.example"}, Target: frontend + "?a=1", Status: 308, KeepPath: true, KeepQuery: true, HSTS: "max-age=0"},
		{Domain: "paused.example", Hosts: []string{"paused.example"}, Target: frontend, Paused: true, Language: "sv"},
		{Domain: "wild.example", Hosts: []string{"wild.example", "*.wild.example"}, Target: frontend, Status: 303},
		{Domain: "trusted.example", Hosts: []string{"trusted.example", "*.trusted.example"}, Target: frontend},
		{Domain: "keeps.example", Hosts: []string{"keeps.example"}, Target: frontend, Status: 307, KeepPath: true, KeepQuery: true},
	}
}

func testOptions() Options {
	return Options{
		SecurityTxt: "Contact: mailto:security@example.se\n",
		Trusted: func(host string) bool {
			return host == "trusted.example" || host == "a.trusted.example" || host == "keeps.example" || host == "paused.example"
		},
		Challenge: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != challengePath+"token" {
				return false
			}
			_, _ = io.WriteString(w, "token.thumbprint")
			return true
		},
	}
}

// exchange is a request on plain HTTP and what must come back.
type exchange struct {
	request  string // without Connection: close; \r\n is added to every line
	status   int
	location string
}

func (e exchange) raw() string {
	lines := strings.Split(e.request, "\n")
	return strings.Join(append(lines, "Connection: close", "", ""), "\r\n")
}

func TestPlain(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), testOptions())
	for _, c := range []exchange{
		{"GET / HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"GET /a/b?c=d HTTP/1.1\nHost: www.kopasex.se", 302, frontend},
		{"HEAD / HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"POST / HTTP/1.1\nHost: kopasex.se\nContent-Length: 0", 302, frontend},
		{"PROPFIND / HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"GET / HTTP/1.0\nHost: kopasex.se", 302, frontend},
		// Spellings of Host.
		{"GET / HTTP/1.1\nHost: KOPASEX.se", 302, frontend},
		{"GET / HTTP/1.1\nHost: kopasex.se.", 302, frontend},
		{"GET / HTTP/1.1\nHost: KopaSex.SE.:8080", 302, frontend},
		{"GET / HTTP/1.1\nHost: kopasex.se:80", 302, frontend},
		{"GET / HTTP/1.1\nHost: kopasex.se:", 302, frontend},
		{"GET / HTTP/1.1\nHost: kopasex.se:0", 400, ""},
		{"GET / HTTP/1.1\nHost: kopasex.se:65536", 400, ""},
		{"GET / HTTP/1.1\nHost: kopasex.se:80a", 400, ""},
		{"GET / HTTP/1.1\nHost: kopasex.se..", 400, ""},
		{"GET / HTTP/1.1\nHost: kopasex.se@evil.example", 400, ""},
		{"GET / HTTP/1.1\nHost: kopasex.se/evil", 400, ""},
		{"GET / HTTP/1.1\nHost: köpasex.example", 400, ""},
		{"GET / HTTP/1.1\nHost: *.wild.example", 400, ""},
		{"GET / HTTP/1.1\nHost: " + strings.Repeat("a.", 130) + "se", 400, ""},
		{"GET / HTTP/1.1\nHost: " + strings.Repeat("a", 64) + ".se", 400, ""},
		// Hosts that aren't ours.
		{"GET / HTTP/1.1\nHost: other.example", 404, ""},
		{"GET / HTTP/1.1\nHost: notkopasex.se", 404, ""},
		{"GET / HTTP/1.1\nHost: a.kopasex.se", 404, ""},
		{"GET / HTTP/1.1\nHost: 192.0.2.1", 404, ""},
		{"GET / HTTP/1.1\nHost: 127.0.0.1:8080", 404, ""},
		{"GET / HTTP/1.1\nHost: [::1]", 404, ""},
		{"GET / HTTP/1.1\nHost: [::1]:80", 404, ""},
		{"GET / HTTP/1.1\nHost: [::1", 400, ""},
		{"GET / HTTP/1.1\nHost:", 404, ""},
		{"GET / HTTP/1.1", 400, ""},
		{"GET / HTTP/1.0", 404, ""},
		// Absolute-form.
		{"GET http://kopasex.se/ HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"GET HTTP://KOPASEX.SE:80/ HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"GET https://kopasex.se/ HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"GET http://kopasex.se HTTP/1.0", 302, frontend},
		{"GET http://kopasex.se/ HTTP/1.1\nHost: wild.example", 400, ""},
		{"GET http://user@kopasex.se/ HTTP/1.1\nHost: kopasex.se", 400, ""},
		{"GET ftp://kopasex.se/ HTTP/1.1\nHost: kopasex.se", 400, ""},
		{"GET kopasex.se HTTP/1.1\nHost: kopasex.se", 400, ""},
		// Wildcards cover any depth, as in DNS; the exact host is its own.
		{"GET / HTTP/1.1\nHost: a.wild.example", 303, frontend},
		{"GET / HTTP/1.1\nHost: a.b.c.wild.example", 303, frontend},
		{"GET / HTTP/1.1\nHost: wild.example", 303, frontend},
		{"GET / HTTP/1.1\nHost: awild.example", 404, ""},
		{"GET / HTTP/1.1\nHost: .wild.example", 400, ""},
		// HTTPS of the same host first, where browsers trust it.
		{"GET /a?b=c HTTP/1.1\nHost: trusted.example", 302, "https://trusted.example/"},
		{"GET /a HTTP/1.1\nHost: TRUSTED.example.:8080", 302, "https://trusted.example/"},
		{"HEAD / HTTP/1.1\nHost: trusted.example", 302, "https://trusted.example/"},
		{"POST / HTTP/1.1\nHost: trusted.example\nContent-Length: 0", 307, "https://trusted.example/"},
		{"GET / HTTP/1.1\nHost: a.trusted.example", 302, "https://a.trusted.example/"},
		{"GET / HTTP/1.1\nHost: a.b.trusted.example", 302, frontend},
		{"GET /a%2Fb//../c?d=e HTTP/1.1\nHost: keeps.example", 302, "https://keeps.example/a%2Fb/c?d=e"},
		// The path and query that a site keeps.
		{"GET //evil.example/%2e%2e/x?a=2&b=%0d%0a&c=3 HTTP/1.1\nHost: xn--kpasex-wxa.example", 308, frontend + "evil.example/../x?a=1&c=3"},
		// Methods and the other paths.
		{"OPTIONS / HTTP/1.1\nHost: kopasex.se", 204, ""},
		{"OPTIONS * HTTP/1.1\nHost: kopasex.se", 204, ""},
		{"OPTIONS * HTTP/1.1\nHost: other.example", 404, ""},
		{"GET * HTTP/1.1\nHost: kopasex.se", 400, ""},
		{"TRACE / HTTP/1.1\nHost: kopasex.se", 405, ""},
		{"CONNECT kopasex.se:443 HTTP/1.1\nHost: kopasex.se:443", 405, ""},
		{"CONNECT / HTTP/1.1\nHost: kopasex.se", 400, ""},
		{"GET /.well-known/domherre/healthz HTTP/1.1\nHost: 192.0.2.1", 200, ""},
		{"GET /.well-known/security.txt HTTP/1.1\nHost: kopasex.se", 200, ""},
		{"GET /.well-known/security.txt HTTP/1.1\nHost: other.example", 404, ""},
		{"GET /.well-known/acme-challenge/token HTTP/1.1\nHost: trusted.example", 200, ""},
		{"GET /.well-known/acme-challenge/other HTTP/1.1\nHost: kopasex.se", 302, frontend},
		{"GET / HTTP/1.1\nHost: paused.example", 410, ""},
	} {
		want := c.location
		if strings.HasSuffix(want, "evil.example/../x?a=1&c=3") {
			want = frontend + "x?a=1&c=3" // the dot segment takes evil.example with it
		}
		method, _, _ := strings.Cut(c.request, " ")
		resp := answers(t, raw(t, s.plain, c.raw()), method)[0]
		if resp.StatusCode != c.status || resp.Header.Get("Location") != want {
			t.Errorf("%q: got %d to %q, want %d to %q", c.request, resp.StatusCode, resp.Header.Get("Location"), c.status, want)
		}
		if resp.Header.Get("Set-Cookie")+resp.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%q: a cookie, or HSTS on plain HTTP", c.request)
		}
		if body, _ := io.ReadAll(resp.Body); len(body) > 0 && (resp.Header.Get("Content-Security-Policy") == "" && c.status != 200 || method == "HEAD") {
			t.Errorf("%q: body %q without a policy, or to HEAD", c.request, body)
		}
	}
}

// via asks by HTTP/1.1 or HTTP/2 and reads the body.
func via(t testing.TB, c *http.Client, method, url, host string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestSecure(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	told := map[string]int{}
	o := testOptions()
	o.TLS = certs(testCert(t, "kopasex.se", "www.kopasex.se"), testCert(t, "paused.example"), testCert(t, "*.wild.example", "wild.example"),
		testCert(t, "xn--kpasex-wxa.example"))
	o.Visited = func(domain string, code int, _ string) {
		mu.Lock()
		defer mu.Unlock()
		told[fmt.Sprint(domain, " ", code)]++
	}
	s := start(t, mustTable(t, testSites()...), o)
	for _, proto := range []int{1, 2} {
		c := client(t, s.secure, &tls.Config{})
		c.Transport.(*http.Transport).ForceAttemptHTTP2 = proto == 2
		for _, x := range []struct {
			method, sni, path, host string
			status                  int
			location, hsts          string
		}{
			{"GET", "kopasex.se", "/a?b", "", 302, frontend, "max-age=31536000"},
			{"POST", "kopasex.se", "/", "", 302, frontend, "max-age=31536000"},
			{"GET", "kopasex.se", "/", "www.kopasex.se", 302, frontend, "max-age=31536000"}, // one connection for both
			{"GET", "kopasex.se", "/", "KOPASEX.SE.:444", 302, frontend, "max-age=31536000"},
			{"HEAD", "xn--kpasex-wxa.example", "/x/?b=2", "", 308, frontend + "x/?a=1&b=2", "max-age=0"},
			{"GET", "kopasex.se", "/", "wild.example", 421, "", ""},  // ours, but not this certificate's
			{"GET", "kopasex.se", "/", "other.example", 421, "", ""}, // not ours
			{"GET", "kopasex.se", "/", "192.0.2.1", 421, "", ""},
			{"GET", "a.wild.example", "/", "", 303, frontend, ""},
			{"GET", "a.wild.example", "/", "b.a.wild.example", 421, "", ""}, // TLS wildcards cover one label
			{"GET", "paused.example", "/", "", 410, "", ""},
			{"OPTIONS", "kopasex.se", "/", "", 204, "", "max-age=31536000"},
			{"TRACE", "kopasex.se", "/", "", 405, "", ""},
			{"GET", "kopasex.se", healthPath, "192.0.2.1", 200, "", ""},
			{"GET", "kopasex.se", securityPath, "", 200, "", "max-age=31536000"},
			{"GET", "kopasex.se", challengePath + "token", "", 200, "", ""},
		} {
			resp, body := via(t, c, x.method, "https://"+x.sni+x.path, x.host)
			if resp.ProtoMajor != proto || resp.StatusCode != x.status || resp.Header.Get("Location") != x.location || resp.Header.Get("Strict-Transport-Security") != x.hsts {
				t.Errorf("%+v: got %s %d to %q, HSTS %q", x, resp.Proto, resp.StatusCode, resp.Header.Get("Location"), resp.Header.Get("Strict-Transport-Security"))
			}
			if (x.method == "HEAD") != (body == "" && x.status != 204) && x.status != 204 {
				t.Errorf("%+v: body %q", x, body)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if told["kopasex.se 302"] != 8 || told["paused.example 410"] != 2 || told["xn--kpasex-wxa.example 308"] != 2 || told["wild.example 303"] != 2 || len(told) != 4 {
		t.Errorf("counted %v", told)
	}
}

func TestHeadersOfRedirects(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), testOptions())
	for host, cache := range map[string]string{"kopasex.se": "no-store", "xn--kpasex-wxa.example": permanentCache, "trusted.example": "no-store", "wild.example": "no-store"} {
		resp := answers(t, raw(t, s.plain, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"), "GET")[0]
		for name, want := range map[string]string{
			"Cache-Control": cache, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": closedCSP, "Content-Type": "text/plain; charset=utf-8", "Server": "", "Set-Cookie": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", host, name, got, want)
			}
		}
	}
}

func TestPausedPage(t *testing.T) {
	t.Parallel()
	table := mustTable(t,
		Site{Domain: "a.example", Hosts: []string{"a.example"}, Target: frontend, Paused: true, Language: "sv", Campaign: "Du avgör!"},
		Site{Domain: "b.example", Hosts: []string{"b.example"}, Target: frontend, Paused: true})
	s := start(t, table, Options{})
	for host, lang := range map[string]string{"a.example": "sv", "b.example": "en"} {
		resp := answers(t, raw(t, s.plain, "GET /x HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"), "GET")[0]
		body, _ := io.ReadAll(resp.Body)
		for _, want := range []string{`<html lang="` + lang + `">`, "<title>", `name="viewport"`, "<h1>", "<main>"} {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s: the page lacks %q", host, want)
			}
		}
		for _, leak := range []string{"Du avgör", "duavg", "example", "http"} {
			if strings.Contains(string(body), leak) {
				t.Errorf("%s: the page tells %q", host, leak)
			}
		}
		if resp.StatusCode != 410 || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v", host, resp.StatusCode, resp.Header)
		}
	}
}

func TestPanicTellsNothing(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	o := Options{Log: textLog(&log), Visited: func(string, int, string) { panic("canary-panic 198.51.100.7") }}
	s := start(t, mustTable(t, testSites()...), o)
	if got := raw(t, s.plain, "GET /canary-path HTTP/1.1\r\nHost: kopasex.se\r\n\r\n"); got != "" {
		t.Errorf("answered %q", got)
	}
	if !strings.Contains(log.String(), "panic while answering") || !strings.Contains(log.String(), "redirect.(*Server)") || strings.Contains(log.String(), "canary") {
		t.Errorf("logged %s", log.String())
	}
}
