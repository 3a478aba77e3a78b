package embedded_test

import (
	"net/netip"
	"strings"
	"testing"

	"domherre/dnsprovider/embedded"
)

const kopasex = `
@            A     192.0.2.10
@            A     192.0.2.11
@            MX    0 .
@            TXT   "v=spf1 -all"
www          CNAME @
Mixed.Case   A     192.0.2.12
deep.empty   A     192.0.2.13
*.wild       TXT   "wild"
*.wild       MX    10 mx.elsewhere.example.
host.wild    A     192.0.2.14
sub.ent.wild A     192.0.2.15
one          CNAME two
two          CNAME three
three        A     192.0.2.16
out          CNAME www.elsewhere.example.
dangling     CNAME nowhere
tocut        CNAME below.child
towild       CNAME x.wild
loop1        CNAME loop2
loop2        CNAME loop1
child        NS    ns.child
child        NS    ns.elsewhere.example.
ns.child     A     192.0.2.17
ns.child     AAAA  2001:db8::17
hidden.child A     192.0.2.18
*.child      A     192.0.2.19
*.ent        CNAME three
`

func TestAnswers(t *testing.T) {
	t.Parallel()
	store := openState(t, t.TempDir())
	p := newProvider(t, store, embedded.Nameserver{Name: "ns1.kopasex.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")}},
		embedded.Nameserver{Name: "ns2.dns.example", Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.54")}})
	write(t, p, "kopasex.example", kopasex)
	_, addr := serve(t, store)

	const soa = "\nauthority kopasex.example. 60 SOA …"
	const referral = "\nauthority child.kopasex.example. 300 NS ns.child.kopasex.example.\nauthority child.kopasex.example. 300 NS ns.elsewhere.example." +
		"\nadditional ns.child.kopasex.example. 300 A 192.0.2.17\nadditional ns.child.kopasex.example. 300 AAAA 2001:db8::17"
	for _, test := range []struct{ name, typ, want string }{
		{"@", "A", "NOERROR aa\nanswer @ 300 A 192.0.2.10\nanswer @ 300 A 192.0.2.11"},
		{"@", "SOA", "NOERROR aa\nanswer @ 3600 SOA …"},
		{"@", "NS", "NOERROR aa\nanswer @ 3600 NS ns1.kopasex.example.\nanswer @ 3600 NS ns2.dns.example." +
			"\nadditional ns1.kopasex.example. 3600 A 192.0.2.53\nadditional ns1.kopasex.example. 3600 AAAA 2001:db8::53"},
		{"@", "MX", "NOERROR aa\nanswer @ 300 MX 0 ."},
		{"@", "TXT", `NOERROR aa` + "\n" + `answer @ 300 TXT "v=spf1 -all"`},
		{"@", "AAAA", "NOERROR aa" + soa},
		{"@", "DNSKEY", "NOERROR aa" + soa},
		{"@", "DS", "NOERROR aa" + soa},
		{"@", "TYPE65280", "NOERROR aa" + soa},
		{"@", "ANY", `NOERROR aa` + "\n" + `answer @ 3600 HINFO "RFC8482" ""`},
		{"ns1", "A", "NOERROR aa\nanswer ns1 3600 A 192.0.2.53"},
		{"nowhere", "A", "NXDOMAIN aa" + soa},
		{"a.b.c.nowhere", "A", "NXDOMAIN aa" + soa},
		{"nowhere", "ANY", "NXDOMAIN aa" + soa},
		{"mixed.case", "A", "NOERROR aa\nanswer mixed.case 300 A 192.0.2.12"},
		{"mIxeD.caSe", "A", "NOERROR aa\nanswer mIxeD.caSe 300 A 192.0.2.12"},
		// Empty non-terminals (RFC 8020).
		{"empty", "A", "NOERROR aa" + soa},
		{"empty", "ANY", "NOERROR aa" + soa},
		{"wild", "A", "NOERROR aa" + soa},
		{"case", "A", "NOERROR aa" + soa},
		// Wildcards (RFC 4592).
		{"x.wild", "TXT", `NOERROR aa` + "\n" + `answer x.wild 300 TXT "wild"`},
		{"X.y.Wild", "TXT", `NOERROR aa` + "\n" + `answer X.y.Wild 300 TXT "wild"`},
		{"*.wild", "TXT", `NOERROR aa` + "\n" + `answer *.wild 300 TXT "wild"`},
		{"x.*.wild", "TXT", "NXDOMAIN aa" + soa},
		{"x.wild", "A", "NOERROR aa" + soa},
		{"host.wild", "TXT", "NOERROR aa" + soa},
		{"x.host.wild", "TXT", "NXDOMAIN aa" + soa},
		{"ent.wild", "TXT", "NOERROR aa" + soa},
		{"x.ent.wild", "TXT", "NXDOMAIN aa" + soa},
		{"x.ent", "A", "NOERROR aa\nanswer x.ent 300 CNAME three.kopasex.example.\nanswer three.kopasex.example. 300 A 192.0.2.16"},
		// Aliases.
		{"www", "A", "NOERROR aa\nanswer www 300 CNAME kopasex.example.\nanswer kopasex.example. 300 A 192.0.2.10\nanswer kopasex.example. 300 A 192.0.2.11"},
		{"www", "CNAME", "NOERROR aa\nanswer www 300 CNAME kopasex.example."},
		{"www", "AAAA", "NOERROR aa\nanswer www 300 CNAME kopasex.example." + soa},
		{"one", "A", "NOERROR aa\nanswer one 300 CNAME two.kopasex.example.\nanswer two.kopasex.example. 300 CNAME three.kopasex.example.\nanswer three.kopasex.example. 300 A 192.0.2.16"},
		{"out", "A", "NOERROR aa\nanswer out 300 CNAME www.elsewhere.example."},
		{"dangling", "A", "NXDOMAIN aa\nanswer dangling 300 CNAME nowhere.kopasex.example." + soa},
		{"towild", "TXT", "NOERROR aa\nanswer towild 300 CNAME x.wild.kopasex.example.\n" + `answer x.wild.kopasex.example. 300 TXT "wild"`},
		{"loop1", "A", "NOERROR aa\nanswer loop1 300 CNAME loop2.kopasex.example.\nanswer loop2.kopasex.example. 300 CNAME loop1.kopasex.example."},
		// Delegations.
		{"child", "A", "NOERROR" + referral},
		{"child", "NS", "NOERROR" + referral},
		{"child", "SOA", "NOERROR" + referral},
		{"child", "ANY", "NOERROR" + referral},
		{"child", "DS", "NOERROR aa" + soa},
		{"x.child", "DS", "NOERROR" + referral},
		{"hidden.child", "A", "NOERROR" + referral},
		{"ns.child", "A", "NOERROR" + referral},
		{"a.b.child", "A", "NOERROR" + referral},
		{"tocut", "A", "NOERROR aa\nanswer tocut 300 CNAME below.child.kopasex.example." + referral},
		// Not ours.
		{"duavgor.example.", "A", "REFUSED"},
		{"notkopasex.example.", "A", "REFUSED"},
		{"example.", "NS", "REFUSED"},
		{".", "NS", "REFUSED"},
		// No data is asked for.
		{"@", "OPT", "FORMERR"},
		{"@", "TKEY", "NOTIMP"},
		{"@", "MAILB", "NOTIMP"},
	} {
		t.Run(test.name+" "+test.typ, func(t *testing.T) {
			t.Parallel()
			asked := test.name
			if !strings.HasSuffix(asked, ".") {
				asked += ".KopaSex.Example."
			}
			asked = strings.TrimPrefix(asked, "@.")
			m := question(asked, test.typ)
			if test.typ == "TYPE65280" {
				m.Question[0].Qtype = 65280
			}
			want := test.want
			for _, section := range []string{"answer "} {
				want = strings.ReplaceAll(want, "\n"+section+test.name+" ", "\n"+section+asked+" ")
			}
			for _, network := range []string{"udp", "tcp"} {
				answer := ask(t, addr, network, m)
				if got := brief(answer); got != want {
					t.Errorf("over %s:\n%s\n\nwant\n%s", network, got, want)
				}
				if answer.Question[0] != m.Question[0] {
					t.Errorf("the question came back as %v", answer.Question[0])
				}
			}
		})
	}
}
