package redirect

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestProtocolsAgree asks the same by HTTP/1.1, HTTP/2 and HTTP/3: status, body
// and header fields are the same.
func TestProtocolsAgree(t *testing.T) {
	t.Parallel()
	o := testOptions()
	names := []string{"kopasex.se", "www.kopasex.se", "xn--kpasex-wxa.example", "paused.example", "wild.example", "*.wild.example", "keeps.example"}
	sites := append(testSites(), Site{Domain: "tags.example", Hosts: []string{"tags.example"}, Target: frontend + "?a=1#b",
		Status: 301, KeepQuery: true, Tags: map[string]string{"utm": "{host}", "c": "{campaign}"}, Campaign: "Du avgör!"})
	o.TLS = certs(testCert(t, append(names, "tags.example")...))
	s := start(t, mustTable(t, sites...), o)
	third := startHTTP3(t, s)
	one, two := client(t, s.secure, nil), client(t, s.secure, nil)
	one.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	clients := map[int]*http.Client{1: one, 2: two, 3: client3(t, third)}
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "PROPFIND", "OPTIONS", "TRACE"} {
		for _, url := range []string{
			"kopasex.se/", "www.kopasex.se/a?b=c", "xn--kpasex-wxa.example/a%2Fb//../c?a=2&d=%0d&e=3", "keeps.example/å?q=ö",
			"keeps.example//evil.example/x", "keeps.example/.well-known/other", "keeps.example/?", "paused.example/x", "wild.example/",
			"deep.wild.example/", "tags.example/x?utm=mine&y=1", "kopasex.se" + securityPath, "kopasex.se" + healthPath,
			"kopasex.se" + challengePath + "token", "kopasex.se" + challengePath + "other",
			"kopasex.se/" + strings.Repeat("a", maxTarget/2),
		} {
			agree(t, clients, method, "https://"+url, "")
		}
		for _, host := range []string{"other.example", "www.kopasex.se:443", "KOPASEX.SE.", "127.0.0.1", "[::1]", "trusted.example", "kopasex.se:0", "kopasex.se.."} {
			agree(t, clients, method, "https://kopasex.se/", host)
		}
	}
}

// agree asks by each protocol and compares with HTTP/1.1.
func agree(t *testing.T, clients map[int]*http.Client, method, url, host string) {
	t.Helper()
	said := map[int]string{}
	for major, c := range clients {
		resp, body := via(t, c, method, url, host)
		if resp.ProtoMajor != major {
			t.Fatalf("asked by HTTP/%d, answered by %s", major, resp.Proto)
		}
		lines := []string{resp.Status[:3], body}
		for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
			switch name {
			case "Date", "Alt-Svc", "Connection", "Content-Length": // of the connection; and of lengths, HEAD may be silent
			default:
				lines = append(lines, name+": "+strings.Join(resp.Header[name], ", "))
			}
		}
		said[major] = strings.Join(lines, "\n")
	}
	for major := 2; major <= 3; major++ {
		if said[major] != said[1] {
			t.Errorf("%s %.80s, Host %q: HTTP/%d says\n%s\nand HTTP/1.1\n%s", method, url, host, major, said[major], said[1])
		}
	}
}
