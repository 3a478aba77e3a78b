package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"domherre/portfolio"
)

// Entry writes an entry of a domain file that declares RRsets of others, as
// they stand. Those that lead the domain's hosts elsewhere stand there as
// comments, since they are what an apply replaces. The provider is named where
// it isn't the one that an entry has by default.
func (t *Term) Entry(d portfolio.Domain, byDefault string, sets []portfolio.RRset) {
	if len(sets) == 0 {
		t.Printf("# %s: nothing in its zone but what is ours.\n", d.Name)
		return
	}
	t.Printf("# %s: what others have put into its zone.\n- name: %s\n", d.Name, d.Name.Unicode())
	if d.Provider != byDefault {
		t.Printf("  provider: %s\n", d.Provider)
	}
	var keep, replaced []string
	for _, s := range sets {
		if leads(d, s) {
			replaced = append(replaced, recordText(s))
		} else {
			keep = append(keep, recordText(s))
		}
	}
	mails := d.DNS.Mail == portfolio.MailNone && slices.ContainsFunc(sets, receives)
	if len(keep) > 0 || mails {
		t.Printf("  dns:\n")
	}
	if mails {
		t.Printf("    mail: keep # somebody receives mail here\n")
	}
	if len(keep) > 0 {
		t.Printf("    records:\n      - %s\n", strings.Join(keep, "\n      - "))
	}
	if len(replaced) > 0 {
		t.Printf("  # Apply replaces these, so that the domain leads to the frontend. To keep one,\n  # take its name out of dns.hosts, and put it under records.\n")
		t.Printf("  # - %s\n", strings.Join(replaced, "\n  # - "))
	}
}

// leads reports whether s is what makes one of the domain's hosts lead elsewhere.
func leads(d portfolio.Domain, s portfolio.RRset) bool {
	return slices.Contains(d.DNS.Hosts, s.Name) && slices.Contains([]string{"A", "AAAA", "CNAME", "HTTPS"}, s.Type)
}

// receives reports whether s brings mail to somebody: an MX that isn't the
// null MX (RFC 7505).
func receives(s portfolio.RRset) bool {
	return s.Type == "MX" && !slices.Equal(s.Data, []string{"0 ."})
}

// recordText is s as an element of records:, in YAML's flow style, whose
// strings are JSON's.
func recordText(s portfolio.RRset) string {
	data := make([]string, len(s.Data))
	for i, v := range s.Data {
		data[i] = quoted(v)
	}
	return fmt.Sprintf("{name: %s, type: %s, ttl: %ds, data: [%s]}", quoted(s.Name), s.Type, s.TTL, strings.Join(data, ", "))
}

func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always can be
	return strings.TrimSuffix(b.String(), "\n")
}
