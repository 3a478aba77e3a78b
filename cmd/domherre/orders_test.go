package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"domherre/cmd/domherre-lab/lab"
)

// orders stands before the CA, counts the orders for each domain, and can hold
// them up when they are to be finalized.
type orders struct {
	directory string // URL to be used in place of the CA's

	mu     sync.Mutex
	placed map[string]int // by each name of the order
	held   int
	hold   chan struct{} // closed to let go; nil: nothing is held
}

func watchOrders(t *testing.T, w *world) *orders {
	t.Helper()
	ca, err := url.Parse(w.Addresses().Directory)
	if err != nil {
		t.Fatal(err)
	}
	own, err := lab.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	conf, err := own.Server()
	if err != nil {
		t.Fatal(err)
	}
	w.write("ca.pem", string(own.PEM())+string(w.RootsPEM()))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.RootsPEM())
	proxy := &httputil.ReverseProxy{
		// The CA makes its URLs of the Host that it was asked for.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: ca.Scheme, Host: ca.Host})
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: ca.Hostname()}},
		ErrorLog:  log.New(io.Discard, "", 0), // clients are killed here
	}
	o := &orders{placed: map[string]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: o.before(proxy), ErrorLog: log.New(io.Discard, "", 0)}
	t.Cleanup(func() { o.letGo(); server.Close() })
	go server.Serve(tls.NewListener(l, conf))
	o.directory = "https://" + l.Addr().String() + ca.Path
	return o
}

func (o *orders) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case strings.HasPrefix(r.URL.Path, "/order-plz"):
			o.count(body)
		case strings.HasPrefix(r.URL.Path, "/finalize-order/"):
			if !o.wait(r) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// count enters an order: a JWS whose payload names what it is for.
func (o *orders) count(body []byte) {
	var jws struct{ Payload string }
	var order struct{ Identifiers []struct{ Value string } }
	if json.Unmarshal(body, &jws) != nil {
		return
	}
	text, err := base64.RawURLEncoding.DecodeString(jws.Payload)
	if err != nil || json.Unmarshal(text, &order) != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range order.Identifiers {
		o.placed[id.Value]++
	}
}

// of gives how many orders there were for a name.
func (o *orders) of(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.placed[name]
}

// wait holds a request up while orders are held, and reports whether its client
// is still there then.
func (o *orders) wait(r *http.Request) bool {
	o.mu.Lock()
	hold := o.hold
	if hold != nil {
		o.held++
	}
	o.mu.Unlock()
	if hold == nil {
		return true
	}
	select {
	case <-hold:
		return true
	case <-r.Context().Done():
		return false
	}
}

// holdUp holds orders up from now on.
func (o *orders) holdUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold, o.held = make(chan struct{}), 0
}

// waiting gives how many are held up.
func (o *orders) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held
}

// letGo ends that.
func (o *orders) letGo() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hold != nil {
		close(o.hold)
	}
	o.hold = nil
}
