package redirect

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// The hidden request of every smuggling attempt: if a server takes it for one,
// there are two answers, and the second is a redirect.
const hidden = "GET /hidden HTTP/1.1\r\nHost: wild.example\r\n\r\n"

// smuggling is a corpus of requests whose end two servers may see in different
// places, or that may be taken for two. None may ever be answered twice; all
// are refused and the connection closed, but where want says otherwise.
var smuggling = []struct {
	name, request string
	want          int // status; 0 is 400
}{
	{"CL and TE", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE and CL", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"CL of zero and TE", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"two CL", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n" + hidden, 0},
	{"two equal CL", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n" + hidden, 0},
	{"CL list", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 0, 0\r\n\r\n" + hidden, 0},
	{"CL signed", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: +0\r\n\r\n" + hidden, 0},
	{"CL negative", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: -1\r\n\r\n" + hidden, 0},
	{"CL hexadecimal", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 0x0\r\n\r\n" + hidden, 0},
	{"CL empty", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length:\r\n\r\n" + hidden, 0},
	{"CL too large", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 18446744073709551616\r\n\r\n" + hidden, 0},
	{"CL with a space in its name", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length : 44\r\n\r\n" + hidden, 0},
	{"TE with a space in its name", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE with a tab in its name", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE unknown", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE identity", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: identity\r\n\r\n" + hidden, 0},
	{"TE list", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE twice", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE with vertical tab", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE quoted", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: kopasex.se\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"folded TE", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
	{"folded header", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nX: a\r\n b\r\n\r\n" + hidden, 0},
	{"folded first header", "GET / HTTP/1.1\r\n Host: kopasex.se\r\n\r\n" + hidden, 0},
	{"bare LF", "GET / HTTP/1.1\nHost: kopasex.se\n\n" + hidden, 0},
	{"bare LF in a header", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n" + hidden, 0},
	{"bare CR in a header", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n" + hidden, 0},
	{"bare CR in the request line", "GET /\rHost: HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"CR CR LF", "GET / HTTP/1.1\r\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"NUL in a header", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nX: a\x00b\r\n\r\n" + hidden, 0},
	{"NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"tab in the target", "GET /\t HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"a space in the target", "GET / / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"two spaces", "GET  / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"no version", "GET /\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"HTTP/0.9", "GET / HTTP/0.9\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"HTTP/2.0 in text", "GET / HTTP/2.0\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"HTTP/1.10", "GET / HTTP/1.10\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"lower-case version", "GET / http/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
	{"a leading empty line", "\r\nGET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"no method", " / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"a bad method", "G{}T / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"fragment", "GET /#a HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"no colon", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nGarbage\r\n\r\n" + hidden, 0},
	{"empty name", "GET / HTTP/1.1\r\nHost: kopasex.se\r\n: x\r\n\r\n" + hidden, 0},
	{"name with raw bytes", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encod\xefng: chunked\r\n\r\n" + hidden, 0},
	{"two Hosts", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nHost: wild.example\r\n\r\n" + hidden, 0},
	{"two equal Hosts", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nhost: kopasex.se\r\n\r\n" + hidden, 0},
	{"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: kopasex.se\r\nHost: wild.example\r\n\r\n" + hidden, 0},
	{"Host list", "GET / HTTP/1.1\r\nHost: kopasex.se, wild.example\r\n\r\n" + hidden, 0},
	{"Host with a space in its name", "GET / HTTP/1.1\r\nHost : wild.example\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"Host with raw bytes", "GET / HTTP/1.1\r\nHost: k\xf6pasex.example\r\n\r\n" + hidden, 0},
	{"absolute target of another host", "GET http://wild.example/ HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"absolute target with user", "GET http://kopasex.se@wild.example/ HTTP/1.1\r\nHost: wild.example\r\n\r\n" + hidden, 0},
	{"broken escape", "GET /% HTTP/1.1\r\nHost: kopasex.se\r\nConnection: close\r\n\r\n", 0},
	{"over-long target", "GET /" + strings.Repeat("a", maxTarget) + " HTTP/1.1\r\nHost: kopasex.se\r\n\r\n" + hidden, 0},
	{"endless target", "GET /" + strings.Repeat("a", 3*maxTarget), 0},
	{"over-long header", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nX: " + strings.Repeat("a", maxHead) + "\r\n\r\n" + hidden, 431},
	{"endless header", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nX: " + strings.Repeat("a", 2*maxHead), 431},
	{"too many headers", "GET / HTTP/1.1\r\nHost: kopasex.se\r\n" + strings.Repeat("X: a\r\n", maxHeaders+1) + "\r\n" + hidden, 431},

	// Well-formed requests with a body: answered, and the connection closed, so
	// that nothing in or behind the body is read as a request.
	{"request in a body", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 44\r\n\r\n" + hidden, 302},
	{"request after a body", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 3\r\n\r\nabc" + hidden, 302},
	{"request in a chunk", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\n" + hidden + "\r\n0\r\n\r\n", 302},
	{"request after chunks", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n" + hidden, 302},
	{"malformed chunk", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + hidden, 302},
	{"body of a GET", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nContent-Length: 44\r\n\r\n" + hidden, 302},
	{"expecting to continue", "POST / HTTP/1.1\r\nHost: kopasex.se\r\nExpect: 100-continue\r\nContent-Length: 44\r\n\r\n" + hidden, 302},
	{"upgrade to h2c", "GET / HTTP/1.1\r\nHost: kopasex.se\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", 302},
	{"CONNECT", "CONNECT wild.example:80 HTTP/1.1\r\nHost: wild.example:80\r\n\r\n" + hidden, 405},
}

func TestSmuggling(t *testing.T) {
	t.Parallel()
	s := start(t, mustTable(t, testSites()...), Options{})
	for _, c := range smuggling {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.want == 0 {
				c.want = http.StatusBadRequest
			}
			method, _, _ := strings.Cut(c.request, " ")
			got := raw(t, s.plain, c.request)
			resp := answers(t, got, method)[0]
			if resp.StatusCode != c.want || !resp.Close {
				t.Errorf("got %q", got)
			}
			if strings.Contains(got, "hidden") || resp.StatusCode != 302 && resp.Header.Get("Location") != "" {
				t.Errorf("reflected: %q", got)
			}
		})
	}
}

// TestSmugglingBehindGoodRequest puts each of the corpus behind a request that
// is well-formed: that one is answered first, then the bad one is refused.
func TestSmugglingBehindGoodRequest(t *testing.T) {
	t.Parallel()
	const good = "GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n"
	s := start(t, mustTable(t, testSites()...), Options{})
	for _, c := range smuggling {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.want == 0 {
				c.want = http.StatusBadRequest
			}
			method, _, _ := strings.Cut(c.request, " ")
			got := answers(t, raw(t, s.plain, good+c.request), "GET", method)
			if got[0].StatusCode != 302 || got[0].Close || got[1].StatusCode != c.want || !got[1].Close {
				t.Errorf("got %d and %d", got[0].StatusCode, got[1].StatusCode)
			}
		})
	}
}

// FuzzHead looks for heads that pass and yet could be read in two ways.
func FuzzHead(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: kopasex.se\r\n\r\n"))
	for _, c := range smuggling {
		if len(c.request) < 500 {
			f.Add([]byte(c.request))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			checkHead(b)
			return
		}
		b = b[:end+4]
		h := checkHead(b)
		if h.refuse != 0 {
			return
		}
		lower := strings.ToLower(string(b))
		cl, te := strings.Count(lower, "\ncontent-length:"), strings.Count(lower, "\ntransfer-encoding:")
		switch {
		case cl+te > 1, strings.Count(lower, "\nhost:") > 1, cl+te == 0 && h.body, te == 1 && !h.body:
			t.Fatalf("framing of %q", b)
		case strings.Count(lower, "\n") != strings.Count(lower, "\r\n"), strings.Count(lower, "\r") != strings.Count(lower, "\n"):
			t.Fatalf("a bare CR or LF in %q", b)
		case strings.Contains(lower, "\n "), strings.Contains(lower, "\n\t"), strings.ContainsRune(lower, 0):
			t.Fatalf("white space in %q", b)
		}
		for _, line := range strings.Split(strings.TrimSuffix(lower, "\r\n\r\n"), "\r\n")[1:] {
			if name, _, ok := strings.Cut(line, ":"); !ok || strings.ContainsAny(name, " \t") {
				t.Fatalf("the header %q in %q", line, b)
			}
		}
	})
}
