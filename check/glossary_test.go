package check

import (
	"strings"
	"testing"
)

func TestReason(t *testing.T) {
	t.Parallel()
	for english, want := range map[string]string{
		`kopasex.se CAA is 0 issue "pebble.example" and 0 issuemail ";", not 0 issue "a and b"`:                                                             `kopasex.se CAA är 0 issue "pebble.example" och 0 issuemail ";", inte 0 issue "a and b"`,
		"www.köpasex.example (www.xn--kpasex-wxa.example) A is missing":                                                                                     "www.köpasex.example (www.xn--kpasex-wxa.example) A saknas",
		"it does not answer: read: connection refused":                                                                                                      "den svarar inte: anslutningen nekades",
		"it does not serve kopasex.se (REFUSED)":                                                                                                            "den har inte zonen kopasex.se (REFUSED)",
		"ns.sub.kopasex.se A is out of reach: sub.kopasex.se is delegated to others":                                                                        "ns.sub.kopasex.se A går inte att nå: sub.kopasex.se är delegerat till andra",
		"no answer from 192.0.2.53:53: i/o timeout":                                                                                                         "inget svar från 192.0.2.53:53: inget svar i tid",
		"another process is ordering it":                                                                                                                    "en annan process beställer det",
		"its turn comes about 2026-11-24 15:04 UTC: ca.example allows 300 orders per 3h":                                                                    "dess tur kommer omkring 2026-11-24 15:04 UTC: ca.example tillåter 300 beställningar per 3h",
		"ca.example allows no more certificates with the same names before 2026-11-30 15:04 UTC":                                                            "ca.example tillåter inte fler certifikat med samma namn före 2026-11-30 15:04 UTC",
		"the domain list has lost 3 of its 4 domains at once (75%, allowed 30%)":                                                                            "domänlistan har förlorat 3 av sina 4 domäner på en gång (75 %, tillåtet 30 %)",
		"would delete 8 of the 9 RRsets that are ours (89%, allowed 30%)":                                                                                   "skulle ta bort 8 av de 9 poster som är våra (89 %, tillåtet 30 %)",
		"many domains are being looked up; this one comes later":                                                                                            "många domäner står på tur; den här kommer senare",
		`the list of registries can't be fetched: Get "https://data.iana.org/rdap/dns.json": dial tcp: lookup data.iana.org on 192.0.2.53:53: no such host`: "listan över register går inte att hämta: https://data.iana.org/rdap/dns.json: namnet finns inte i DNS",
		"urn:ietf:params:acme:error:caa: CAA record for kopasex.se prevents issuance":                                                                       "urn:ietf:params:acme:error:caa: CAA record for kopasex.se prevents issuance",
	} {
		if got := Reason("sv", english); got != want {
			t.Errorf("%s\n got %s\nwant %s", english, got, want)
		}
		if got := Reason("en", english); got != english {
			t.Errorf("in English %q became %q", english, got)
		}
	}
}

// Swedish sentences hold no English, whatever they are filled with: a sign of
// it are its commonest words.
func TestSwedishIsSwedish(t *testing.T) {
	t.Parallel()
	for name, text := range catalogue {
		for _, s := range []string{text.sv.finding, text.sv.advice} {
			for _, word := range strings.Fields(strings.ToLower(s)) {
				switch word {
				case "the", "is", "of", "and", "not", "for", "to", "it":
					t.Errorf("%s: %q holds %q", name, s, word)
				}
			}
		}
	}
}
