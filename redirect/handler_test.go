package redirect

import (
	"io"
	"net/http"
	"testing"
)

func TestSecureRedirect(t *testing.T) {
	t.Parallel()
	table := mustTable(t, Site{Domain: "kopasex.se", Hosts: []string{"kopasex.se", "www.kopasex.se"}, Target: frontend, HSTS: "max-age=31536000"})
	s := start(t, table, Options{TLS: certs(testCert(t, "kopasex.se", "www.kopasex.se"))})
	c := client(t, s.secure, nil)
	for _, proto := range []int{2, 1} {
		if proto == 1 {
			c.Transport.(*http.Transport).CloseIdleConnections()
			c = client(t, s.secure, nil)
			c.Transport.(*http.Transport).ForceAttemptHTTP2 = false
		}
		resp, err := c.Get("https://www.kopasex.se/some/path?q=1")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.ProtoMajor != proto || resp.StatusCode != 302 || resp.Header.Get("Location") != frontend {
			t.Errorf("got %s %s to %q", resp.Proto, resp.Status, resp.Header.Get("Location"))
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": closedCSP, "Set-Cookie": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if string(body) != "302 Found\n"+frontend+"\n" {
			t.Errorf("body %q", body)
		}
	}
}
