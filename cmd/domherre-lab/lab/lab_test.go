package lab

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestStartWritesWhereItIs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	l, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	text, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var a Addresses
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	for what, value := range map[string]string{
		"names": a.Names, "resolver": a.Resolver, "directory": a.Directory, "management": a.Management,
		"rdap": a.RDAP["se"], "frontend": a.Frontend, "page": a.Plain, "roots": a.CA,
	} {
		if value == "" {
			t.Errorf("no %s in lab.json: %s", what, text)
		}
	}
	roots, err := os.ReadFile(a.CA)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(roots) {
		t.Errorf("no roots in %s: %v", a.CA, err)
	}
}

func TestStartFailsWhole(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	for name, o := range map[string]Options{
		"names":     {Names: at},
		"resolver":  {Resolver: at},
		"acme":      {ACME: ACMEOptions{Listen: at}},
		"manage":    {ACME: ACMEOptions{Management: at}},
		"rdap":      {RDAP: at},
		"frontend":  {Frontend: FrontendOptions{HTTPS: at}},
		"plain":     {Frontend: FrontendOptions{HTTP: at}},
		"host":      {Frontend: FrontendOptions{Host: "köpa sex"}},
		"dir":       {Dir: "/dev/null/lab"},
		"key":       {ACME: ACMEOptions{EAB: map[string]string{"a": "short"}}},
		"no server": {Nameservers: []Nameserver{{Name: ""}}},
	} {
		if l, err := Start(t.Context(), o); err == nil {
			t.Errorf("%s: started", name)
			l.Close()
		}
	}
}

// Nothing but Pebble's queue, which can't be stopped, outlives a lab. Goroutines
// of others can't be told apart here, so this test doesn't run beside them.
func TestCloseEndsAll(t *testing.T) {
	l, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	client := trusting(t, l)
	resp, err := client.Get(l.Addresses().Directory)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	client.CloseIdleConnections()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var left string
	for range 10_000 { // what has ended may still be on its way out
		if left = running(); left == "" {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("still running:\n%s", left)
}

// running gives the stacks of the lab's goroutines and its servers'.
func running() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "testing.tRunner") || strings.Contains(stack, "va.VAImpl.processTasks") {
			continue
		}
		if strings.Contains(stack, "domherre-lab/lab.") || strings.Contains(stack, "miekg/dns.") || strings.Contains(stack, "net/http.(*conn)") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

func TestRDAP(t *testing.T) {
	t.Parallel()
	registry, err := NewRegistry([]Nameserver{{Name: "ns1.domherre.example"}}, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	rdap, err := StartRDAP("127.0.0.1:0", registry)
	if err != nil {
		t.Fatal(err)
	}
	defer rdap.Close()
	if err := registry.Unregister("fri.se"); err != nil {
		t.Fatal(err)
	}
	if err := registry.Hold("spärr.se"); err != nil {
		t.Fatal(err)
	}
	se := rdap.Bases()["se"]
	tests := []struct {
		url  string
		code int
		want []string
	}{
		{se + "domain/kopasex.se", 200, []string{`"ldhName":"kopasex.se"`, `"status":["active"]`, `"2027-11-24T00:00:00Z"`, `"ns1.domherre.example"`}},
		{se + "domain/xn--duavgr-0xa.se", 200, []string{`"unicodeName":"duavgör.se"`}},
		{se + "domain/spärr.se", 200, []string{`"server hold"`}},
		{se + "domain/fri.se", 404, []string{`"errorCode":404`}},
		{se + "domain/kopasex.nu", 400, nil},
		{se + "domain/www.kopasex.se", 400, nil},
		{se + "help", 404, nil},
	}
	for _, tt := range tests {
		code, body, _ := get(t, tt.url)
		if code != tt.code {
			t.Errorf("%s: %d", tt.url, code)
		}
		for _, w := range tt.want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %s in %s", tt.url, w, body)
			}
		}
	}
	rdap.Refuse(90)
	if code, _, h := get(t, se+"domain/kopasex.se"); code != 429 || h.Get("Retry-After") != "90" {
		t.Errorf("refusing: %d, Retry-After %q", code, h.Get("Retry-After"))
	}
	rdap.Refuse(0)
	if code, _, _ := get(t, se+"domain/kopasex.se"); code != 200 {
		t.Errorf("after refusing: %d", code)
	}
}

func get(t *testing.T, url string) (code int, body string, header http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

func TestFrontend(t *testing.T) {
	t.Parallel()
	l, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := trusting(t, l)
	secure := client.Transport.(*http.Transport)
	at := strings.TrimPrefix(l.Addresses().Frontend, "https://www.xn--duavgr-0xa.se")
	secure.DialContext = (&toLoopback{port: strings.Trim(at, ":/")}).dial
	resp, err := client.Get(l.Addresses().Frontend + "stockholm")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	code, body, header := get(t, l.Addresses().Plain)
	if resp.StatusCode != 200 || code != 200 || len(header.Values("Set-Cookie")) > 0 {
		t.Errorf("HTTPS %d, HTTP %d, cookies %q", resp.StatusCode, code, header.Values("Set-Cookie"))
	}
	for _, want := range []string{`lang="sv"`, "brott", "020-50 50 50", "020-66 77 88", "Exempelsida", "6 kapitlet 11&nbsp;§"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, foreign := range []string{"http://", "https://", "<script", "<iframe", "<img"} {
		if strings.Contains(body, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	if code, _, header := get(t, l.Addresses().Plain+"frontend.css"); code != 200 || header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style: %d %q", code, header.Get("Content-Type"))
	}
}
