package check

import (
	"regexp"
	"strings"
	"sync"
)

// reported is a reason in the program's own English, as the rooms give it that
// know no other language.
type reported string

// Reason words a reason that the program gave in English: in Swedish for "sv",
// as far as the program's own words go. What servers of others said stays as
// they said it.
func Reason(language, reason string) string {
	if language != swedish {
		return reason
	}
	for _, rule := range glossary() {
		reason = rule.english.ReplaceAllString(reason, rule.swedish)
	}
	return outsideQuotes(reason, " and ", " och ")
}

// outsideQuotes replaces words, but none in data that is quoted.
func outsideQuotes(text, what, by string) string {
	parts := strings.Split(text, `"`)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], what, by)
	}
	return strings.Join(parts, `"`)
}

type rule struct {
	english *regexp.Regexp
	swedish string
}

// glossary is gone through from its top: whole sentences first. Most commands
// never need it, so it is compiled at its first use.
var glossary = rules(
	// Of name servers and what they serve.
	`its address can't be found`, "dess adress går inte att hitta",
	`it does not answer: `, "den svarar inte: ",
	`it does not serve (\S+): it answers without authority`, "den har inte zonen $1: den svarar utan auktoritet",
	`it does not serve (.+) \(([A-Z]+)\)`, "den har inte zonen $1 ($2)",
	`(\S+ [A-Z0-9]+) can't be asked for: `, "$1 går inte att fråga efter: ",
	`(\S+ [A-Z0-9]+) is out of reach: (\S+) is delegated to others`, "$1 går inte att nå: $2 är delegerat till andra",
	`(\S+ [A-Z0-9]+) is missing`, "$1 saknas",
	`(\S+ [A-Z0-9]+) is an alias of (\S+), not (.+)`, "$1 är ett alias för $2, inte $3",
	`(\S+ [A-Z0-9]+) is (.+), not (.+)`, "$1 är $2, inte $3",
	`(\S+ [A-Z0-9]+) has the TTL (\d+), not (\d+)`, "$1 har TTL $2, inte $3",
	// Of certificates that wait.
	`another process is ordering it`, "en annan process beställer det",
	`its turn comes about (\S+): (.+)`, "dess tur kommer omkring $1: $2",
	`its turn comes about (.+?): `, "dess tur kommer omkring $1: ",
	`(\S+) allows (\d+) orders per (\S+)`, "$1 tillåter $2 beställningar per $3",
	`(\S+) allows no more certificates of one domain before (.+)`, "$1 tillåter inte fler certifikat för samma domän före $2",
	`(\S+) allows no more certificates with the same names before (.+)`, "$1 tillåter inte fler certifikat med samma namn före $2",
	`must be left alone until (.+)`, "ska lämnas i fred till $1",
	`the state can't be written, so nothing is ordered`, "tillståndet kan inte skrivas, så inget beställs",
	`a wildcard needs challenge: dns-01 for (.+)`, "ett jokernamn kräver challenge: dns-01 för $1",
	// Of plans that the guard refuses.
	`the domain list is empty`, "domänlistan är tom",
	`the domain list has lost (\d+) of its (\d+) domains at once`, "domänlistan har förlorat $1 av sina $2 domäner på en gång",
	`all (\d+) zones that were managed are suddenly empty at the provider`, "alla $1 zoner som sköttes är plötsligt tomma hos leverantören",
	`would delete (\d+) of the portfolio's (\d+) RRsets`, "skulle ta bort $1 av portföljens $2 poster",
	`would delete records of (\d+) of (\d+) domains`, "skulle ta bort poster för $1 av $2 domäner",
	`would delete (\d+) of the (\d+) RRsets of the mail lock`, "skulle ta bort $1 av e-postlåsets $2 poster",
	`would delete (\d+) of the (\d+) RRsets that are ours`, "skulle ta bort $1 av de $2 poster som är våra",
	`would delete (\d+) of (\d+) CAA RRset`, "skulle ta bort CAA-posten",
	`would change the NS records of the apex, on which the delegation rests`, "skulle ändra zonens egna NS-poster, som delegeringen vilar på",
	`the zone is suddenly empty at the provider`, "zonen är plötsligt tom hos leverantören",
	`the provider suddenly has no such zone`, "leverantören har plötsligt ingen sådan zon",
	`where (\d+) RRsets? of ours stood before`, "där $1 av våra poster stod förut",
	`\((\d+)%, allowed (\d+)%\)`, "($1 %, tillåtet $2 %)",
	// Of DNS providers.
	`the provider has no such zone; create it there first`, "leverantören har ingen sådan zon; skapa den där först",
	`the provider has no such zone; set (\S+) at the provider to let it be created, or create it there first`, "leverantören har ingen sådan zon; ange $1 hos leverantören i konfigurationen så skapas den, eller skapa den där först",
	`provider (\S+) can't hold what is wanted: `, "leverantören $1 kan inte hålla det som önskas: ",
	`it holds one value of a name and type, and the marker of (\d+) RRsets has (\d+) or more: write dns: \{ownership: none\}, or fewer hosts`, "den håller ett värde per namn och typ, och märket för $1 poster tar $2 eller fler: skriv dns: {ownership: none}, eller färre värdnamn",
	`it holds one value of a name and type: `, "den håller ett värde per namn och typ: ",
	`it holds nothing at the domain itself: `, "den håller inget på själva domänen: ",
	`it holds texts of up to (\d+) octets: `, "den håller texter på högst $1 oktetter: ",
	`(transfer|update|query) at name server (\S+): `, "$1 vid namnservern $2: ",
	`; check that it runs and can be reached over TCP and UDP`, "; kontrollera att den är igång och nås över TCP och UDP",
	`the server refuses the signature`, "servern godtar inte signaturen",
	`the secret or the algorithm of the key (\S+) differs from the server's; copy both from there`, "nyckeln $1 har en annan hemlighet eller algoritm än på servern; kopiera båda därifrån",
	`the server answers ([A-Z]+)`, "servern svarar $1",
	`no answer from (\S+): `, "inget svar från $1: ",
	`no answer in (\S+?):? context deadline exceeded`, "inget svar inom $1",
	// Of registries.
	`the list of registries can't be fetched: `, "listan över register går inte att hämta: ",
	`many domains are being looked up; this one comes later`, "många domäner står på tur; den här kommer senare",
	`the registry asks to wait until (.+)`, "registret ber om väntan till $1",
	`no RDAP service is known for (\S+)`, "ingen RDAP-tjänst är känd för $1",
	`the registry answered about something else`, "registret svarade om något annat",
	`the registry answered (.+)`, "registret svarade $1",
	`the registry's answer can't be read: `, "registrets svar går inte att läsa: ",
	// Of networks.
	`Get "([^"]+)": (?:dial tcp: )?(?:lookup \S+(?: on \S+)?: )?`, "$1: ",
	`(?:dial tcp \S+ |dial udp \S+ |read: |connect: )*connection refused`, "anslutningen nekades",
	`connection reset by peer`, "anslutningen bröts",
	`no such host`, "namnet finns inte i DNS",
	`no route to host|network is unreachable`, "adressen nås inte härifrån",
	`context deadline exceeded|i/o timeout`, "inget svar i tid",
	`x509: certificate signed by unknown authority`, "utfärdaren är okänd",
)

func rules(pairs ...string) func() []rule {
	return sync.OnceValue(func() []rule {
		all := make([]rule, 0, len(pairs)/2)
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, rule{regexp.MustCompile(pairs[i]), pairs[i+1]})
		}
		return all
	})
}
