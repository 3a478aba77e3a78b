package loopia

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// answering answers every call with the same.
type answering struct {
	body  string
	asked string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	a.asked = string(body)
	return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(a.body))}, err
}

func at(body string, s Settings) (*Provider, *answering) {
	a := &answering{body: body}
	p := New(s)
	p.rpc.http.Transport = a
	return p, a
}

func params(value string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param>` + value + `</param></params></methodResponse>`
}

func faulty(code int) string {
	return fmt.Sprintf(`<methodResponse><fault><value><struct><member><name> faultCode </name><value><int> %d </int></value></member>
<member><name>faultString</name><value><string>as it says</string></value></member></struct></value></fault></methodResponse>`, code)
}

// Loopia refuses by a fault, by a status, or by a status where a list should be;
// with 200 OK each time.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		kind  zoneio.Kind
		pause time.Duration
	}{
		"fault, credentials":    {faulty(401), zoneio.Credentials, 0},
		"fault, limit":          {faulty(429), zoneio.Temporary, time.Minute},
		"fault, unknown":        {faulty(404), zoneio.Other, 0},
		"status, credentials":   {params("<value><string>\n AUTH_ERROR\n</string></value>"), zoneio.Credentials, 0},
		"status, limit":         {params("<value>RATE_LIMITED</value>"), zoneio.Temporary, time.Minute},
		"status, unknown":       {params("<value><string>UNKNOWN_ERROR</string></value>"), zoneio.Other, 0},
		"list of a status":      {params("<value><array><data><value><string>AUTH_ERROR</string></value></data></array></value>"), zoneio.Credentials, 0},
		"nothing":               {params(""), zoneio.Other, 0},
		"a page of maintenance": {"<html><body>Back soon<br></body></html>", zoneio.Temporary, 0},
		"cut off":               {faulty(401)[:100], zoneio.Temporary, 0},
	} {
		p, _ := at(c.body, Settings{})
		_, listing := p.ListZones(t.Context())
		_, reading := p.GetRecords(t.Context(), "kopasex.example.")
		for _, err := range []error{listing, reading} {
			if err == nil || zoneio.KindOf(err) != c.kind || zoneio.RetryAfter(err) != c.pause {
				t.Errorf("%s: kind %d, pause %s: %v", name, zoneio.KindOf(err), zoneio.RetryAfter(err), err)
			}
		}
	}
}

// A reseller's customer is named in every call, and what could end a string in
// XML doesn't.
func TestCall(t *testing.T) {
	t.Parallel()
	p, a := at(params("<value><array><data></data></array></value>"), Settings{Username: "u", Password: "<&'>", Customer: "X1"})
	recs, err := p.GetRecords(t.Context(), "kopasex.example.")
	if err != nil || len(recs) != 0 {
		t.Fatalf("%v, %v", recs, err)
	}
	want := `<methodName>getSubdomains</methodName><params><param><value><string>u</string></value></param><param><value><string>&lt;&amp;&#39;&gt;</string></value></param>` +
		`<param><value><string>X1</string></value></param><param><value><string>kopasex.example</string></value></param></params>`
	if !strings.Contains(a.asked, want) {
		t.Errorf("it asks %s", a.asked)
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, typ, priority, data string }{
		{"@ A 192.0.2.1", "A", "0", "192.0.2.1"},
		{"@ MX 10 mail.example.net.", "MX", "10", "mail.example.net."},
		{"_sip._tcp SRV 1 2 3 sip.example.net.", "SRV", "1", "1 2 3 sip.example.net."},
		{`@ TXT "v=spf1 -all"`, "TXT", "0", "v=spf1 -all"},
		{`@ TXT "\"quoted\""`, "TXT", "0", `"\"quoted\""`},
		{`@ CAA 0 issue "ca.example;accounturi=https://ca.example/1"`, "CAA", "0", `0 issue "ca.example;accounturi=https://ca.example/1"`},
		{"@ MX 0 .", "", "", ""},
		{`@ HTTPS 1 . alpn="h2"`, "", "", ""},
		{`@ CAA 0 issue "ca.example; validationmethods=dns-01"`, "", "", ""},
		{`@ TXT "\255"`, "", "", ""},
		{`@ TXT ""`, "", "", ""},
		{`@ TXT "` + strings.Repeat("a", 250) + `" "` + strings.Repeat("a", 201) + `"`, "", "", ""},
	} {
		rr, err := dns.NewRR("$ORIGIN kopasex.example.\n$TTL 300\n" + c.line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := form(rr, "7")
		var refusal *zoneio.Error
		if c.typ == "" {
			if !errors.As(err, &refusal) || refusal.Kind != zoneio.Unsupported {
				t.Errorf("%s: %v, %v", c.line, got, err)
			}
			continue
		}
		want := object{{"type", c.typ}, {"ttl", whole("300")}, {"priority", whole(c.priority)}, {"rdata", c.data}, {"record_id", whole("7")}}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, not %v, %v", c.line, got, want, err)
		}
	}
}
