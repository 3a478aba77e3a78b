package dnsprovider

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"domherre/portfolio"
)

// exampleOf gives the settings of a type's example, as a config would.
func exampleOf(t *testing.T, typ Type) map[string]any {
	t.Helper()
	m := make(map[string]any)
	for _, s := range typ.Settings {
		if s.Key == "profile" {
			continue // of AWS: must exist
		}
		text := strings.Trim(s.Example, `"`)
		if text == "" {
			text = s.Default
		}
		var value any = text
		var err error
		switch s.Kind {
		case "int":
			value, err = strconv.Atoi(text)
		case "bool":
			value, err = strconv.ParseBool(text)
		case "list of strings":
			var list []any
			for item := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
				list = append(list, strings.TrimSpace(item))
			}
			value = list
		}
		if err != nil {
			t.Errorf("%s: the example of %s: %v", typ.Name, s.Key, err)
		}
		m[s.Key] = value
	}
	return m
}

func vendors() []row {
	var out []row
	for _, r := range rows() {
		if r.module {
			r.Type, _ = TypeOf(r.Name)
			out = append(out, r)
		}
	}
	return out
}

// What looks like a secret is one.
var secretKey = regexp.MustCompile(`(password|secret|token|_key)$`)

// Every vendor's type opens with the settings of its example, and knows no
// others; what is secret is marked so, and its value never told.
func TestCatalog(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range vendors() {
		names = append(names, r.Name)
		settings := exampleOf(t, r.Type)
		if faults := CheckSettings(r.Name, settings); len(faults) > 0 {
			t.Errorf("%s: %v", r.Name, faults)
		}
		if _, err := newProvider(Config{Name: "main", Type: r.Name, Settings: settings}, Deps{Now: time.Now}, rows()); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		settings["no_such_setting"] = "x"
		if faults := CheckSettings(r.Name, settings); len(faults) != 1 || faults[0].Key != "no_such_setting" {
			t.Errorf("%s takes any setting: %v", r.Name, faults)
		}
		for _, s := range r.Settings {
			if secretKey.MatchString(s.Key) != s.Secret && s.Kind == "string" {
				t.Errorf("%s: %s: secret is %v", r.Name, s.Key, s.Secret)
			}
			if s.Kind == "" {
				t.Errorf("%s has no setting %s", r.Name, s.Key)
			}
			for _, f := range CheckSettings(r.Name, map[string]any{s.Key: []any{"hemlig"}, s.Key + "x": "hemlig"}) {
				if strings.Contains(f.Message+f.Hint, "hemlig") {
					t.Errorf("%s tells the value of %s: %v", r.Name, s.Key, f)
				}
			}
		}
		if r.Limits.RequestsPerSecond == 0 {
			t.Errorf("%s has no limit", r.Name)
		}
	}
	if len(names)-len(heavy()) != 35 { // with three heavy ones, rfc2136 and powerdns, forty
		t.Errorf("%d vendors: %v", len(names), names)
	}
}

// Of a module's settings none is left out, but what prints its doings.
func TestCatalogIsWhole(t *testing.T) {
	t.Parallel()
	for _, r := range rows() {
		known, _ := r.known(r.settings())
		for _, s := range settingsOf(r.settings()) {
			told := slices.ContainsFunc(known, func(k Setting) bool { return k.Key == s.Key })
			if !told && !strings.Contains(s.Key, "debug") {
				t.Errorf("%s: the setting %s is left out", r.Name, s.Key)
			}
		}
	}
}

// recorder sees what passes the limits, and answers that it is forbidden.
type recorder struct{ seen atomic.Int32 }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.seen.Add(1)
	if req.Body != nil {
		req.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusForbidden, Status: "403 Forbidden", Request: req, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// Of every vendor's type it is known whether the limits see each of its HTTP
// requests, or a call as a whole.
func TestLimitsReach(t *testing.T) {
	t.Parallel()
	for _, r := range vendors() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			rec := new(recorder)
			var told atomic.Int32
			p, err := newProvider(Config{Name: "main", Type: r.Name, Settings: reachableBy(t, r)}, Deps{
				Now: time.Now, HTTP: &http.Client{Transport: rec}, Requested: func(string, string, string) { told.Add(1) },
			}, rows())
			if err != nil {
				t.Fatal(err)
			}
			if err := ask(t.Context(), p); err == nil {
				t.Error("no error, though all is forbidden")
			}
			seen := rec.seen.Load()
			if (seen == 0) != r.byCall {
				t.Errorf("%d requests were seen, and by call is %v", seen, r.byCall)
			}
			if want := max(seen, 1); told.Load() != want {
				t.Errorf("%d requests were counted, not %d", told.Load(), want)
			}
		})
	}
}

// ask makes one call that needs the vendor.
func ask(ctx context.Context, p *provider) error {
	name, err := portfolio.ParseName("kopasex.se")
	if err != nil {
		return err
	}
	switch p.typ.Name {
	case "he", "duckdns", "acmedns": // are read by other ways than HTTP
		owner := "@"
		rec := libdns.Record(libdns.Address{Name: owner, TTL: time.Minute, IP: netip.MustParseAddr("192.0.2.1")})
		if p.typ.Name == "acmedns" {
			rec = libdns.TXT{Name: p.impl.(*challenges).Subdomain + ".auth", TTL: time.Minute, Text: "x"}
		}
		_, err := request(ctx, p, "write", name.ASCII(), func(ctx context.Context) ([]libdns.Record, error) {
			return p.impl.(libdns.RecordAppender).AppendRecords(ctx, name.FQDN(), []libdns.Record{rec})
		})
		return err
	}
	_, err = request(ctx, p, "read", name.ASCII(), func(ctx context.Context) ([]libdns.Record, error) {
		return p.impl.(libdns.RecordGetter).GetRecords(ctx, name.FQDN())
	})
	return err
}

// reachableBy gives settings with which a type asks somebody.
func reachableBy(t *testing.T, r row) map[string]any {
	t.Helper()
	m := exampleOf(t, r.Type)
	switch r.Name {
	case "transip":
		m["private_key"] = privateKey(t)
		m["token_storage"] = ""
	case "googleclouddns":
		m["gcp_application_default"] = serviceAccount(t)
	case "duckdns":
		m["api_token"] = strings.Repeat("x", 36)
	case "inwx":
		s := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(s.Close)
		m["endpoint_url"] = s.URL
	}
	return m
}

// privateKey makes a key in PEM.
func privateKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// serviceAccount makes the file of a service account at Google.
func serviceAccount(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "domherre@p1.example", "private_key": privateKey(t), "token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
