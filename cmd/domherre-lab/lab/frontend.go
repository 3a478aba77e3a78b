package lab

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

//go:embed frontend.html
var frontendPage []byte

//go:embed frontend.css
var frontendStyle []byte

// FrontendOptions sets up the campaign's frontend.
type FrontendOptions struct {
	Host  string // either form: "www.duavgör.se"
	HTTPS string // "127.0.0.1:0"
	HTTP  string

	Authority *Authority // certifies Host
}

// Frontend is a small page like the one that the campaign leads to. It sets no
// cookies and loads nothing from elsewhere.
type Frontend struct {
	host   string // A-labels
	secure *httpListener
	plain  *httpListener
}

// StartFrontend serves the page by HTTPS and HTTP.
func StartFrontend(o FrontendOptions) (*Frontend, error) {
	if o.Authority == nil {
		return nil, errors.New("lab's frontend: it needs an authority")
	}
	host, err := idna.Lookup.ToASCII(o.Host)
	if err != nil {
		return nil, fmt.Errorf("lab's frontend: host %q: %w", o.Host, err)
	}
	conf, err := o.Authority.Server(host)
	if err != nil {
		return nil, fmt.Errorf("lab's frontend: %w", err)
	}
	f := &Frontend{host: host}
	if f.secure, err = listenHTTP(o.HTTPS, conf, frontendHandler()); err != nil {
		return nil, fmt.Errorf("lab's frontend: %w", err)
	}
	if f.plain, err = listenHTTP(o.HTTP, nil, frontendHandler()); err != nil {
		return nil, errors.Join(fmt.Errorf("lab's frontend, HTTP: %w", err), f.secure.Close())
	}
	return f, nil
}

// URL is the page's address by its name, with the port that it listens on.
func (f *Frontend) URL() string {
	return (&url.URL{Scheme: "https", Host: fmt.Sprintf("%s:%d", f.host, f.secure.addr.Port()), Path: "/"}).String()
}

// PlainURL is the page's address by number and plain HTTP: for a browser that
// knows neither the lab's names nor its root.
func (f *Frontend) PlainURL() string { return "http://" + f.plain.addr.String() + "/" }

// Close stops both listeners.
func (f *Frontend) Close() error {
	return errors.Join(f.secure.Close(), f.plain.Close())
}

// frontendHandler gives the page at every path, since a campaign may lead
// to pages that the lab doesn't have.
func frontendHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		body, kind := frontendPage, "text/html; charset=utf-8"
		if strings.HasSuffix(r.URL.Path, "/frontend.css") {
			body, kind = frontendStyle, "text/css; charset=utf-8"
		}
		h.Set("Content-Type", kind)
		// A client that went away is no concern of the lab.
		_, _ = w.Write(body)
	})
}
