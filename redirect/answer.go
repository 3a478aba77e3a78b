package redirect

import (
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

// redirectAnswer makes a redirect to a location that is fixed.
func redirectAnswer(status int, location string) *answer {
	a := textAnswer(status, strconv.Itoa(status)+" "+http.StatusText(status)+"\n"+location+"\n")
	a.header["Location"] = []string{location}
	a.header["Cache-Control"] = []string{cacheControl(status)}
	return a
}

func cacheControl(status int) string {
	if status == http.StatusMovedPermanently || status == http.StatusPermanentRedirect {
		return permanentCache
	}
	return noStore
}

// textAnswer makes an answer in plain text.
func textAnswer(status int, body string) *answer {
	return newAnswer(status, "text/plain; charset=utf-8", body)
}

func newAnswer(status int, contentType, body string) *answer {
	h := http.Header{
		"Cache-Control":           {noStore},
		"Content-Length":          {strconv.Itoa(len(body))},
		"Content-Security-Policy": {closedCSP},
		"Content-Type":            {contentType},
		"Referrer-Policy":         {"no-referrer"},
		"X-Content-Type-Options":  {"nosniff"},
	}
	return &answer{status: status, header: h, body: []byte(body)}
}

// goneAnswer is what visitors of a paused site get. It says nothing of what
// the domain was or who ran it.
func goneAnswer(language string) *answer {
	a := newAnswer(http.StatusGone, "text/html; charset=utf-8", gonePageEN)
	if language == "sv" {
		a = newAnswer(http.StatusGone, "text/html; charset=utf-8", gonePageSV)
	}
	return a
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
<title>Sidan finns inte längre</title>
</head>
<body>
<main>
<h1>Sidan finns inte längre</h1>
<p>Adressen används inte just nu. Du kan stänga fönstret.</p>
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
<title>This page is gone</title>
</head>
<body>
<main>
<h1>This page is gone</h1>
<p>The address is not in use at the moment. You can close this window.</p>
</main>
</body>
</html>
`
)

// send writes the answer; the header values are shared, not copied.
func (a *answer) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	a.finish(w, r)
}

func (a *answer) finish(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		// A visitor who has gone can't be told anything; nobody else wants to know.
		_, _ = w.Write(a.body)
	}
}
