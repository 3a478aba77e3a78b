package redirect

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestCleanPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": "", "/": "", "/a": "/a", "/a/": "/a/", "/a/b": "/a/b", "a": "/a",
		"//": "", "//evil.example": "/evil.example", "///a//b": "/a/b", "/a//": "/a/",
		"/..": "", "/../../a": "/a", "/a/../b": "/b", "/a/./b": "/a/b", "/a/b/..": "/a/", "/a/.": "/a/", "/a//../b": "/a/b",
		"/%2e%2e/a": "/a", "/%2E./a": "/a", "/.%2e": "", "/...": "/...",
		"/a%2Fb": "/a%2Fb", "/a%2fb": "/a%2fb", "/a b": "/a%20b", `/a\b`: "/a%5Cb", "/ö": "/%C3%B6", "/%C3%B6": "/%C3%B6",
		"/a;b=c,d": "/a;b=c,d", "/a:b@c": "/a:b@c", "/a?b#c": "/a%3Fb%23c", `/"<>^` + "`{|}": "/%22%3C%3E%5E%60%7B%7C%7D",
		"/%252e%252e/a": "/%252e%252e/a",
	} {
		if got, ok := cleanPath(path); !ok || got != want {
			t.Errorf("%q: got %q, %v, want %q", path, got, ok, want)
		}
	}
	for _, path := range []string{
		"/%", "/%4", "/%zz", "/%00", "/%0d%0aSet-Cookie:x", "/\r\n", "/\x7f", "/a%09",
		"/..%2f", "/..%2f..%2fa", "/%2e%2e%2fa", `/..%5c`, `/a\..\b`, "/a%2F%2e%2e", "/x%2f.%2fy",
	} {
		if got, ok := cleanPath(path); ok {
			t.Errorf("%q: got %q, want it refused", path, got)
		}
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		site        Site
		host        string
		path, query string
		want        string
	}{
		{"plain", Site{Target: "https://f.example"}, "", "", "", "https://f.example/"},
		{"target's own path", Site{Target: "https://f.example/base"}, "", "", "", "https://f.example/base"},
		{"appended", Site{Target: "https://f.example/base/"}, "", "/a/b", "", "https://f.example/base/a/b"},
		{"never above the target", Site{Target: "https://f.example/base"}, "", "/../../a", "", "https://f.example/base/a"},
		{"refused path", Site{Target: "https://f.example/base"}, "", "/..%2fa", "", "https://f.example/base"},
		{"port", Site{Target: "https://f.example:8443/"}, "", "/a", "", "https://f.example:8443/a"},
		{"fragment", Site{Target: "https://f.example/#help"}, "", "/a", "q=1", "https://f.example/a?q=1#help"},
		{"target wins", Site{Target: "https://f.example/?a=1&b=2"}, "", "", "b=3&c=4&a=5&%61=6", "https://f.example/?a=1&b=2&c=4"},
		{"query is escaped anew", Site{Target: "https://f.example/"}, "", "", "a=<b>&c=%C3%B6&d&=x&e=a+b;c", "https://f.example/?a=%3Cb%3E&c=%C3%B6&d&e=a+b%3Bc"},
		{"controls are dropped", Site{Target: "https://f.example/"}, "", "", "a=%0d%0ab&c%00=1&d=%zz&e=1", "https://f.example/?e=1"},
		{
			"tags", Site{Target: "https://f.example/?own=1", Domain: "kopasex.se", Campaign: "Du avgör!", Tags: map[string]string{"own": "2", "utm_campaign": "{campaign}", "d": "{domain}", "h": "{host}"}},
			"www.kopasex.se", "", "utm_campaign=x&e=1", "https://f.example/?own=1&d=kopasex.se&h=www.kopasex.se&utm_campaign=Du+avg%C3%B6r%21&e=1",
		},
	} {
		to, err := newTarget(c.site, c.host)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := to.location(c.path, c.query); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzLocation sends whatever passes for a request to both listeners and
// demands that the Location's origin is one from the table.
func FuzzLocation(f *testing.F) {
	for _, seed := range [][3]string{
		{"kopasex.se", "/a/b", "c=d"}, {"keeps.example", "//evil.example/%2e%2e", "a=%0d%0a"}, {"a.wild.example", `/\evil.example`, ""},
		{"keeps.example", "/%0d%0aLocation:%20https://evil.example", "&&=;"}, {"KEEPS.example.:80", "/..%2f@evil.example", "?#"},
		{"trusted.example@evil.example", "/", ""}, {"a.trusted.example", "/@evil.example", ""}, {"keeps.example", "http://keeps.example/x", ""},
		{"evil.example#.wild.example", "/", ""}, {"xn--kpasex-wxa.example", "/:443/evil", "a=2"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	o := testOptions()
	o.Trusted = func(host string) bool { return strings.Contains(host, "trusted") || strings.HasPrefix(host, "keeps") }
	s := NewServer(mustTable(f, testSites()...), o)
	f.Fuzz(func(t *testing.T, host, path, query string) {
		head := "GET " + path + "?" + query + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
		if checkHead([]byte(head)).refuse != 0 {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			return
		}
		plain := httptest.NewRecorder()
		s.answerPlain(plain, r)
		checkLocation(t, plain.Header().Get("Location"))
		name, _ := splitHost(r.Host)
		r = r.WithContext(context.WithValue(r.Context(), peerKey{}, &peer{sni: name}))
		secure := httptest.NewRecorder()
		s.answerSecure(secure, r)
		checkLocation(t, secure.Header().Get("Location"))
	})
}

func checkLocation(t *testing.T, location string) {
	t.Helper()
	if location == "" {
		return
	}
	for i := 0; i < len(location); i++ {
		if c := location[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0 {
			t.Fatalf("%q holds %q", location, c)
		}
	}
	u, err := url.Parse(location)
	if err != nil || u.User != nil || !strings.HasPrefix(location, "https://"+u.Host+"/") || strings.HasPrefix(u.Path, "//") {
		t.Fatalf("%q: %v", location, err)
	}
	switch host := u.Host; {
	case host == "www.xn--duavgr-0xa.se", host == "keeps.example", host == "trusted.example":
	case strings.HasSuffix(host, ".trusted.example") && validName(host):
	default:
		t.Fatalf("%q leads to a host that isn't configured", location)
	}
	if segments := strings.Split(u.Path, "/"); bytes.Contains([]byte(strings.Join(segments, "\n")+"\n"), []byte("\n..\n")) {
		t.Fatalf("%q climbs", location)
	}
}
