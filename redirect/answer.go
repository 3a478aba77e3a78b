package redirect

import (
	"bytes"
	"net/http"
	"strconv"
)

// The policies of everything that has a body: nothing is loaded, embedded or
// guessed.
const (
	closedCSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	noStore   = "no-store"
	// A permanent redirect is a choice of the config's; yet a browser that
	// asks again after a day can still be told something else.
	permanentCache = "max-age=86400"
)

// answer is a response as it is sent, made beforehand but for the date. It is
// shared and never changes.
type answer struct {
	status   int
	location string // "" where there is none, or where a reply has its own
	start    string // the status line of HTTP/1.1, up to the value of Date
	fields   []byte // the other header lines, each with CR LF
	block    []byte // status and fields for HTTP/2 and its static table (HPACK)
	body     []byte
}

// field is a header field in its canonical spelling.
type field struct{ name, value string }

// redirectAnswer makes a redirect to a location that is fixed.
func redirectAnswer(status int, location string) *answer {
	body := strconv.Itoa(status) + " " + http.StatusText(status) + "\n" + location + "\n"
	return newAnswer(status, "text/plain; charset=utf-8", body, field{"Cache-Control", cacheControl(status)}, field{"Location", location})
}

func cacheControl(status int) string {
	if status == http.StatusMovedPermanently || status == http.StatusPermanentRedirect {
		return permanentCache
	}
	return noStore
}

// textAnswer makes an answer in plain text that nobody may keep.
func textAnswer(status int, body string, more ...field) *answer {
	return newAnswer(status, "text/plain; charset=utf-8", body, append(more, field{"Cache-Control", noStore})...)
}

func newAnswer(status int, contentType, body string, more ...field) *answer {
	return sealed(status, body, append(more,
		field{"Content-Length", strconv.Itoa(len(body))},
		field{"Content-Security-Policy", closedCSP},
		field{"Content-Type", contentType},
		field{"Referrer-Policy", "no-referrer"},
		field{"X-Content-Type-Options", "nosniff"},
	))
}

// sealed writes an answer down in the forms in which it is sent.
func sealed(status int, body string, fields []field) *answer {
	code := strconv.Itoa(status)
	a := &answer{status: status, start: startOf(status), block: appendStatus(nil, code), body: []byte(body)}
	for _, f := range fields {
		a.fields = appendLine(a.fields, f.name, f.value)
		if f.name == "Connection" { // a field of HTTP/1 only
			continue
		}
		a.block = appendField(a.block, f.name, f.value)
		if f.name == "Location" {
			a.location = f.value
		}
	}
	a.fields, a.block = bytes.Clone(a.fields), bytes.Clone(a.block) // of the size they need
	return a
}

// startOf is the same string for all answers of a status.
func startOf(status int) string {
	switch status {
	case http.StatusFound:
		return "HTTP/1.1 302 Found\r\nDate: "
	case http.StatusMovedPermanently:
		return "HTTP/1.1 301 Moved Permanently\r\nDate: "
	}
	return "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\nDate: "
}

func appendLine(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, crlf...)
}

// goneAnswer is what visitors of a paused site get. It says nothing of what
// the domain was or who ran it.
func goneAnswer(language string) *answer {
	page := gonePageEN
	if language == "sv" {
		page = gonePageSV
	}
	return newAnswer(http.StatusGone, "text/html; charset=utf-8", page, field{"Cache-Control", noStore})
}

// The pages need no style of their own: a browser's is readable, follows the
// visitor's size and contrast, and with color-scheme the dark mode too.
const (
	gonePageSV = `<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Adressen används inte just nu</title>
</head>
<body>
<main>
<h1>Adressen används inte just nu</h1>
<p>Du kan stänga fönstret.</p>
</main>
</body>
</html>
`
	gonePageEN = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>This address is not in use at the moment</title>
</head>
<body>
<main>
<h1>This address is not in use at the moment</h1>
<p>You can close this window.</p>
</main>
</body>
</html>
`
)

// reply is an answer with what differs between requests that get it.
type reply struct {
	*answer
	location string // "" for the answer's own
	hsts     string // value of Strict-Transport-Security, or ""
	altSvc   string // value of Alt-Svc, or ""
}

// send writes the reply by net/http.
func (a reply) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for line := range bytes.Lines(a.fields) {
		name, value, _ := bytes.Cut(bytes.TrimSuffix(line, crlf), []byte(": "))
		h[string(name)] = []string{string(value)}
	}
	for _, f := range [...]field{{"Location", a.location}, {"Strict-Transport-Security", a.hsts}, {"Alt-Svc", a.altSvc}} {
		if f.value != "" {
			h[f.name] = []string{f.value}
		}
	}
	if r.ProtoMajor > 1 {
		delete(h, "Connection") // a field of HTTP/1 only: clients refuse an answer that has it
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		// A visitor who has gone can't be told anything; nobody else wants to know.
		_, _ = w.Write(a.body)
	}
}

// appendHTTP1 writes the reply as HTTP/1.1 has it. It doesn't allocate while b
// has room.
func (a reply) appendHTTP1(b []byte, date string, head, closing bool) []byte {
	b = append(b, a.start...)
	b = append(b, date...)
	b = append(b, crlf...)
	if closing {
		b = append(b, "Connection: close\r\n"...)
	}
	if a.hsts != "" {
		b = appendLine(b, "Strict-Transport-Security", a.hsts)
	}
	if a.altSvc != "" {
		b = appendLine(b, "Alt-Svc", a.altSvc)
	}
	if a.location != "" {
		b = appendLine(b, "Location", a.location)
	}
	b = append(b, a.fields...)
	b = append(b, crlf...)
	if head {
		return b
	}
	return append(b, a.body...)
}
