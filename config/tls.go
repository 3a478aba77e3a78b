package config

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// tlsFields are the keys of tls:.
func tlsFields(t *TLS) []field {
	return []field{
		leaf("issuers", listOf(&t.Issuers, objectSchema(issuerFields(&issuerDraft{})), issuer), "", "Certificate authorities, tried in order. Default: our own, which no browser trusts."),
		leaf("wildcard", boolean(&t.Wildcard), "false", "One certificate for *.domain; needs the challenge dns-01."),
		leaf("renew_before", percent(&t.RenewBefore, 0.01, 0.95), "33%", "Share of the lifetime that is left when a certificate is renewed; what the issuer says by ARI comes first."),
		leaf("resolvers", listOf(&t.Resolvers, schema{"type": "string"}, resolver53), "", "Name servers to ask where check.resolvers is empty, ADDRESS or ADDRESS:PORT."),
	}
}

// issuerDraft is an issuer as it is being read.
type issuerDraft struct {
	Issuer
	eab eabDraft
}

type eabDraft struct {
	keyID  string
	macKey Secret
	at     *value
}

var keyTypes = []string{"p256", "p384", "rsa2048", "rsa4096", "ed25519"}

func issuerFields(d *issuerDraft) []field {
	return []field{
		leaf("acme", directory(&d.ACME), "", "URL of an ACME directory."),
		leaf("email", email(&d.Email), "", "Where the authority writes to."),
		leaf("challenge", oneOf(&d.Challenge, ChallengeDNS, ChallengeHTTP, ChallengeALPN), "", "dns-01, http-01 or tls-alpn-01. Default: the latter two."),
		leaf("eab", eab(&d.eab), "", "External account binding."),
		leaf("roots", roots(&d.Roots), "", "A PEM file of the roots to trust, for a private ACME server."),
		leaf("profile", text(&d.Profile), "", "Certificate profile, such as shortlived."),
		leaf("key_type", oneOf(&d.KeyType, keyTypes...), "", "p256 (default), p384, rsa2048, rsa4096 or ed25519."),
		leaf("preferred_chain", text(&d.PreferredChain), "", "Common name of the root whose chain is preferred."),
		section("limits", "What this authority allows; Let's Encrypt's limits are built in.",
			leaf("orders", rate(&d.Orders), "", "New orders, such as 300 per 3h."),
		),
		leaf("internal", internal(&d.Internal), "", "Our own authority, kept in the state: {}."),
	}
}

func issuer(v value) (Issuer, bool) {
	var d issuerDraft
	if v.node.Kind != mappingNode {
		v.fault("takes a mapping, not "+v.kind(), "write acme: https://… or internal: {}")
		return d.Issuer, false
	}
	v.mapping(issuerFields(&d))
	switch {
	case !d.Internal && d.ACME == "" && !v.has("acme"):
		v.fault("names no authority", "write acme: https://… or internal: {}")
	case d.Internal && len(v.node.Content) > 2:
		v.fault("internal takes no other keys", "write - internal: {} alone, and each ACME authority as an element of its own")
	case d.eab.at != nil:
		d.EAB = d.eab.checked()
	}
	return d.Issuer, true
}

// has reports whether the mapping v has a key.
func (v value) has(key string) bool {
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == key {
			return true
		}
	}
	return false
}

func eabFields(d *eabDraft) []field {
	return []field{
		leaf("key_id", text(&d.keyID), "", "Key identifier that the authority gave."),
		leaf("mac_key", secret(&d.macKey), "", "MAC key that the authority gave, base64url."),
	}
}

func eab(d *eabDraft) kind {
	return kind{schema: objectSchema(eabFields(d)), read: func(v value) {
		d.at = &v
		v.mapping(eabFields(d))
	}}
}

func (d eabDraft) checked() *EAB {
	if d.keyID == "" || d.macKey.IsZero() {
		d.at.fault("takes both key_id and mac_key", "")
		return nil
	}
	if _, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(d.macKey.Reveal(), "=")); err != nil {
		d.at.fault("mac_key is not base64url", "copy it as the authority gave it")
		return nil
	}
	return &EAB{KeyID: d.keyID, MACKey: d.macKey}
}

func internal(dst *bool) kind {
	return kind{schema: schema{"type": []string{"object", "null"}, "additionalProperties": false}, read: func(v value) {
		*dst = true
		v.mapping(nil)
	}}
}

func directory(dst *string) kind {
	return kind{schema: schema{"type": "string", "format": "uri", "pattern": "^https://"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			v.fault(fmt.Sprintf("%q is no https URL of an ACME directory", s), "Let's Encrypt's is https://acme-v02.api.letsencrypt.org/directory")
			return
		}
		*dst = s
	}}
}

func email(dst *string) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		if local, domain, at := strings.Cut(s, "@"); !at || local == "" || domain == "" || strings.ContainsAny(s, " <>,") {
			v.fault(fmt.Sprintf("%q is no e-mail address", s), "write one such as ops@example.se")
			return
		}
		*dst = s
	}}
}

// roots reads the PEM file that is named.
func roots(dst *[]byte) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		path := v.l.relative(s)
		content, p := v.l.read(path, "the file of roots")
		if p != nil {
			v.fault(p.Message, p.Hint)
			return
		}
		if block, _ := pem.Decode(content); block == nil || !bytes.Contains(content, []byte("BEGIN CERTIFICATE")) {
			v.fault(fmt.Sprintf("%s holds no PEM certificate", path), "it has a line -----BEGIN CERTIFICATE-----")
			return
		}
		*dst = content
	}}
}

var ratePattern = regexp.MustCompile(`^(\d+) per (\S+)$`)

// rate reads "300 per 3h".
func rate(dst *Rate) kind {
	return kind{schema: schema{"type": "string", "pattern": `^\d+ per \S+$`}, read: func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		m := ratePattern.FindStringSubmatch(strings.Join(strings.Fields(s), " "))
		if m == nil {
			v.fault(fmt.Sprintf("takes a rate such as 300 per 3h, not %q", s), "")
			return
		}
		n, err := strconv.Atoi(m[1])
		per, problem, hint := parseDuration(m[2])
		switch {
		case problem != "":
			v.fault(problem, hint)
		case err != nil || n == 0 || per == 0:
			v.fault(fmt.Sprintf("%q allows nothing", s), "")
		default:
			*dst = Rate{Count: n, Per: per}
		}
	}}
}

// checkIssuers fills in the default and checks how the issuers go together.
func (l *loader) checkIssuers() {
	t := &l.config.TLS
	at := l.at("tls.issuers")
	if len(t.Issuers) == 0 {
		if !l.isSet("tls.issuers") || len(at.node.Content) == 0 {
			at.warn("no certificate authority is configured: our own is used, which no browser trusts", "write acme: https://acme-v02.api.letsencrypt.org/directory, or - internal: {} to keep it so")
		}
		t.Issuers = []Issuer{{Internal: true}}
		return
	}
	for _, i := range t.Issuers {
		if i.Internal && len(t.Issuers) > 1 {
			at.fault("internal stands beside another authority", "keep one: what our own authority issued would stay in place of the public one's")
			return
		}
		if t.Wildcard && !i.Internal && i.Challenge != ChallengeDNS {
			l.at("tls.wildcard").fault(fmt.Sprintf("a wildcard certificate needs the challenge dns-01, which %s doesn't use", i.ACME), "write challenge: dns-01 there")
		}
	}
}

// canWildcard reports whether some issuer can certify "*.domain".
func (t TLS) canWildcard() bool {
	for _, i := range t.Issuers {
		if i.Internal || i.Challenge == ChallengeDNS {
			return true
		}
	}
	return false
}
