package cloudflare

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"domherre/dnsprovider/zoneio"
)

// What Cloudflare shows, as its documentation has it, is read as DNS.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ shown, want string }{
		{`{"type":"A","name":"www.kopasex.example","content":"192.0.2.1","ttl":1,"proxied":false}`, "www.kopasex.example.\t300\tIN\tA\t192.0.2.1"},
		{`{"type":"A","name":"kopasex.example","content":"192.0.2.1","ttl":1,"proxied":true}`, "kopasex.example.\t1\tIN\tA\t192.0.2.1"},
		{`{"type":"MX","name":"kopasex.example","content":".","priority":0,"ttl":60}`, "kopasex.example.\t60\tIN\tMX\t0 ."},
		{`{"type":"CNAME","name":"*.kopasex.example","content":"example.net","ttl":60}`, "*.kopasex.example.\t60\tIN\tCNAME\texample.net."},
		{`{"type":"TXT","name":"kopasex.example","content":"bare text","ttl":60}`, "kopasex.example.\t60\tIN\tTXT\t\"bare text\""},
		{`{"type":"TXT","name":"kopasex.example","content":"\"one \" \"å\"","ttl":60}`, "kopasex.example.\t60\tIN\tTXT\t\"one \\195\\165\""},
		{`{"type":"CAA","name":"kopasex.example","content":"0 issue ca.example","data":{"flags":128,"tag":"issue","value":"ca.example"},"ttl":60}`,
			"kopasex.example.\t60\tIN\tCAA\t128 issue \"ca.example\""},
		{`{"type":"SRV","name":"_sip._tcp.kopasex.example","content":"5 5060 sip.example.net","data":{"priority":0,"weight":5,"port":5060,"target":"sip.example.net"},"ttl":60}`,
			"_sip._tcp.kopasex.example.\t60\tIN\tSRV\t0 5 5060 sip.example.net."},
		{`{"type":"MX","name":"kopasex.example","content":"mail.example.net","priority":5,"ttl":60,"meta":{"read_only":true}}`, "<nil>"},
	} {
		var r record
		if err := json.Unmarshal([]byte(c.shown), &r); err != nil {
			t.Fatal(err)
		}
		if rr, err := r.parse("kopasex.example"); err != nil || fmt.Sprint(rr) != c.want {
			t.Errorf("%s is %v, not %s, %v", c.shown, rr, c.want, err)
		}
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"@ A 192.0.2.1", `{"content":"192.0.2.1","name":"kopasex.example","proxied":false,"ttl":300,"type":"A"}`},
		{"@ MX 0 .", `{"content":".","name":"kopasex.example","priority":0,"ttl":300,"type":"MX"}`},
		{`@ TXT "a \"b\" \195\165"`, `{"content":"\"a \\\"b\\\" å\"","name":"kopasex.example","ttl":300,"type":"TXT"}`},
		{`@ CAA 0 issue ";"`, `{"data":{"flags":0,"tag":"issue","value":";"},"name":"kopasex.example","ttl":300,"type":"CAA"}`},
		{`@ HTTPS 1 . alpn="h2,h3"`, `{"data":{"priority":1,"target":".","value":"alpn=\"h2,h3\""},"name":"kopasex.example","ttl":300,"type":"HTTPS"}`},
		{"_443._tcp TLSA 3 1 1 abcd", `{"data":{"certificate":"abcd","matching_type":1,"selector":1,"usage":3},"name":"_443._tcp.kopasex.example","ttl":300,"type":"TLSA"}`},
	} {
		rr, err := dns.NewRR("$ORIGIN kopasex.example.\n$TTL 300\n" + c.line)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(form(rr)); err != nil || string(got) != c.want {
			t.Errorf("%s is given as %s, not %s, %v", zoneio.Presentation(rr), got, c.want, err)
		}
	}
}
