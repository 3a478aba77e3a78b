package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// with gives the status that the admin page answers to a token, and whether it
// is in a language.
func (w *world) with(token, language string, want int) func() error {
	return func() error {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "http://"+w.admin+"/", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := w.client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != want || resp.Header.Get("Content-Language") != language {
			return fmt.Errorf("%s, in %q", resp.Status, resp.Header.Get("Content-Language"))
		}
		return nil
	}
}

// A reload puts in force what it can, and says what waits for a restart.
func TestReloadSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	w.write("domherre.yaml", w.config()+"admin: {token: first-of-two}\n")
	d := w.launch()
	w.until("the token is asked for", w.with("first-of-two", "en", http.StatusOK))
	w.write("domherre.yaml", w.config()+"admin: {token: other-of-two}\nlanguage: sv\nsecurity_txt: \"Contact: mailto:ops@domherre.example\"\n")
	w.until("the new token holds, on a Swedish page", w.with("other-of-two", "sv", http.StatusOK))
	w.until("the old one doesn't", w.with("first-of-two", "", http.StatusUnauthorized))
	w.until("what waits is told", w.logged(d, "waits for a restart\" settings=security_txt", 1))
	if strings.Contains(d.output(t), "of-two") {
		t.Error("the log holds the token")
	}
}

// Whatever clients do wrong, the log never says who they are.
func TestLogNamesNoClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	w.write("domherre.yaml", w.config()+"log: {level: debug}\n")
	d := w.start()
	w.until("the domain is live", w.live("kopasex.se"))
	var clients []string
	for _, address := range []string{w.http, w.https, w.admin} {
		for _, noise := range []string{"\x16\x03\x01\x00\x05hello", "GET / HTTP/1.1\r\nHost: \x00\r\n\r\n", "BROKEN\r\n\r\n", ""} {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c.LocalAddr().String())
			fmt.Fprint(c, noise)
			c.(*net.TCPConn).CloseWrite()
			c.Read(make([]byte, 1))
			c.Close()
		}
	}
	if code := d.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	log := d.output(t)
	for _, client := range clients {
		if strings.Contains(log, client) {
			t.Errorf("the log names %s", client)
		}
	}
}

// HSTS that is switched off is taken back, after a restart too.
func TestHSTSOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lines("kopasex.se"))
	sends := func(want string) func() error {
		return func() error {
			resp, err := w.client.Get("https://kopasex.se/")
			if err != nil {
				return err
			}
			resp.Body.Close()
			if got := resp.Header.Get("Strict-Transport-Security"); got != want {
				return fmt.Errorf("Strict-Transport-Security: %q", got)
			}
			return nil
		}
	}
	w.write("domherre.yaml", w.config()+"redirect: {hsts: 24h}\n")
	d := w.start()
	w.until("HSTS is sent", sends("max-age=86400"))
	w.write("domherre.yaml", w.config())
	w.until("HSTS is taken back", sends("max-age=0"))
	if code := d.stop(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
	w.start()
	w.until("HSTS is taken back after a restart", sends("max-age=0"))
}

// A list that lost its domains by mistake and has them back needs nobody's
// approval, nor the next regular run, for the guard to take its word back.
func TestGuardTakesBack(t *testing.T) {
	t.Parallel()
	all := []string{"kopasex.se", "a.example", "b.example", "c.example"}
	w := newWorld(t, lines(all...))
	w.start()
	w.until("all are live", w.live(all...))
	w.write("domains.txt", lines("kopasex.se"))
	w.until("the guard refuses", w.is("domherre_guard_refused", 1))
	w.write("domains.txt", lines(all...))
	w.until("the guard has nothing against it", w.is("domherre_guard_refused", 0))
}
