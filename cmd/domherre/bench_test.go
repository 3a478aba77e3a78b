package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The benchmarks here measure what people wait for, at a running daemon in the
// lab. They are run once or a few times each: -benchtime=3x.

// moments are the steps by which a new line becomes a live domain, each as
// somebody outside sees it, in the order in which they come.
var moments = []struct {
	name string
	come func(w *world, ascii string) error
}{
	{"seen", (*world).redirectsPlainly},
	{"served", (*world).servesAddress},
	{"certified", (*world).hasCertificate},
	{"answered", (*world).redirects},
}

// BenchmarkOneMoreLine adds one line to the domain file of a running daemon,
// and waits for its effects. The whole is to take less than three seconds.
func BenchmarkOneMoreLine(b *testing.B) {
	list := names(50)
	w := newWorld(b, lines(list...))
	w.start()
	w.until("all domains are live", w.live(list...))
	took := map[string]time.Duration{}
	for b.Loop() {
		b.StopTimer()
		added := fmt.Sprintf("extra-%d.test", len(list))
		list = append(list, added)
		b.StartTimer()
		began := time.Now()
		w.write("domains.txt", lines(list...))
		for _, m := range moments {
			w.soon(m.name, func() error { return m.come(w, added) })
			took[m.name] += time.Since(began)
		}
		b.StopTimer()
		w.until("the domain is live", w.live(added))
		b.StartTimer()
	}
	for _, m := range moments {
		b.ReportMetric(milliseconds(took[m.name])/float64(b.N), m.name+"-ms")
	}
}

// BenchmarkFiftyDomains takes fifty domains from an empty state to live ones.
func BenchmarkFiftyDomains(b *testing.B) {
	list := names(50)
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, lines(list...))
		b.StartTimer()
		d := w.start()
		w.until("all domains are live", w.live(list...))
		b.StopTimer()
		d.stop(b)
		w.Lab.Close()
		b.StartTimer()
	}
}

// BenchmarkRestart measures from the start of a daemon that has fifty
// certificates to the first visitor led on, and to the last domain's.
func BenchmarkRestart(b *testing.B) {
	list := names(50)
	w := newWorld(b, lines(list...))
	d := w.start()
	w.until("all domains are live", w.live(list...))
	var all time.Duration
	for b.Loop() {
		b.StopTimer()
		d.stop(b)
		b.StartTimer()
		began := time.Now()
		d = w.launch()
		w.soon("the first redirect", func() error { return w.redirects(list[0]) })
		b.StopTimer()
		for _, name := range list[1:] {
			w.soon("the others' redirects", func() error { return w.redirects(name) })
		}
		all += time.Since(began)
		b.StartTimer()
	}
	b.ReportMetric(milliseconds(all)/float64(b.N), "all-ms")
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("kopa-tid-%05d.test", i)
	}
	return list
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// soon is until for measuring: it looks every other millisecond.
func (w *world) soon(what string, ok func() error) {
	w.Helper()
	w.wait(what, 2*time.Millisecond, ok)
}

// redirectsPlainly reports whether the redirector knows the name.
func (w *world) redirectsPlainly(ascii string) error {
	status, _, err := w.visit("http://" + ascii + "/")
	if err == nil && status != http.StatusFound {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

// servesAddress asks the name server for the name's address.
func (w *world) servesAddress(ascii string) error {
	ctx, cancel := context.WithTimeout(w.Context(), time.Second)
	defer cancel()
	answer, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(ascii), dns.TypeA), w.dns)
	if err == nil && len(answer.Answer) == 0 {
		err = errors.New(dns.RcodeToString[answer.Rcode])
	}
	return err
}

// hasCertificate shakes hands as the name, and trusts what a visitor trusts.
func (w *world) hasCertificate(ascii string) error {
	config := w.client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = ascii
	conn, err := (&tls.Dialer{Config: config}).DialContext(w.Context(), "tcp", w.https)
	if err != nil {
		return err
	}
	return conn.Close()
}

// redirects visits the name as a person does.
func (w *world) redirects(ascii string) error {
	status, location, err := w.visit("https://" + ascii + "/")
	if err == nil && (status != http.StatusFound || location != frontend) {
		err = fmt.Errorf("%d to %q", status, location)
	}
	return err
}
