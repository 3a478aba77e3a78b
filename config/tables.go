package config

import (
	"log/slog"
	"time"
)

// tables are the keys of the main file, bound to l's config.
func tables(l *loader) []field {
	if l.config == nil {
		l.config = &Config{}
	}
	c := l.config
	return []field{
		leaf("campaign", named(&c.Campaign), "", "Name of the campaign, shown on the page and in notifications."),
		leaf("portfolio", portfolioID(&c.Portfolio.ID), "", "Owner name in the zone marker. Default: a slug of campaign."),
		leaf("frontend", frontend(&c.Frontend), "", "Where every host leads unless its domain says otherwise: an absolute https URL."),
		leaf("domains", listOf(&l.files, schema{"type": "string"}, literal), "", "Domain files or patterns (.yaml, .csv, .txt), relative to this file."),
		leaf("language", oneOf(&c.Language, "sv", "en"), "en", "Language of the page and of advice."),
		leaf("providers", providers(&c.Providers), "", "DNS providers by name; the first is the default."),
		section("dns", "Records of every domain.", dnsFields(&l.dns)...),
		section("redirect", "How hosts lead to the frontend.", redirectFields(&c.Redirect)...),
		section("tls", "Certificates.", tlsFields(&c.TLS)...),
		section("reconcile", "When and how records are put right.",
			leaf("every", duration(&c.Reconcile.Every, time.Second), "10m", "Interval of the daemon."),
			leaf("apply", boolean(&c.Reconcile.Apply), "true", "Put records right (true), or only report (false)."),
			leaf("prune", boolean(&c.Reconcile.Prune), "false", "Delete the records of domains that left the list."),
			leaf("waves", boolean(&c.Reconcile.Waves), "false", "Write 1, 5 and 10 % of the domains first, each part only once the one before is served."),
			leaf("max_delete", percent(&c.Reconcile.MaxDelete, 0, 1), "30%", "Share of the owned RRsets, and of the domains, above which a plan is refused."),
		),
		section("check", "Does it work?",
			leaf("every", duration(&c.Check.Every, time.Second), "5m", "Interval of the daemon."),
			leaf("resolvers", listOf(&c.Check.Resolvers, schema{"type": "string"}, resolver53), "", "Name servers to ask, ADDRESS or ADDRESS:PORT. Default: the system's."),
			leaf("rdap", rdap(&c.Check.RDAP), "auto", "Registration data: auto, off, or base URLs by top-level domain."),
		),
		leaf("notify", listOf(&c.Notify, objectSchema(notifyFields(&Notify{})), notify), "", "Where notifications go: shoutrrr URLs."),
		leaf("state", location(l, &c.State), "./state", "Where certificates, locks and the journal are kept: a folder, or postgres://…"),
		leaf("state_key", listOf(&c.StateKeys, schema{"type": "string"}, stateKey), "", "Encrypts the state: what openssl rand -base64 32 prints. Several: the first encrypts, each decrypts."),
		leaf("state_cache", cacheFolder(l, &c.StateCache), "./cache", "Where a node keeps a copy of a database's values, for when that is away: a folder, or off."),
		section("listen", "Addresses to listen on.", listenFields(&c.Listen)...),
		section("admin", "The admin listener.",
			leaf("token", secret(&c.Admin.Token), "", "Bearer token, needed to listen elsewhere than on loopback."),
		),
		section("hits", "Visitor counts.",
			leaf("hide_below", whole(&c.Hits.HideBelow, 0, 1_000_000), "10", "Counts below this are hidden in exports meant for publication."),
		),
		leaf("security_txt", text(&c.SecurityTxt), "", "Content of /.well-known/security.txt (RFC 9116)."),
		section("log", "The log, on standard error.",
			leaf("format", logFormat(&c.Log.JSON), "text", "text or json."),
			leaf("level", logLevel(&c.Log.Level), "info", "debug, info, warn or error."),
		),
	}
}

// literal reads a string of the main file as it is, with its place.
func literal(v value) (writtenText, bool) {
	s, ok := v.text()
	return writtenText{v, s}, ok
}

// writtenText is a string and where it was written.
type writtenText struct {
	value
	s string
}

func notifyFields(n *Notify) []field {
	return []field{leaf("url", secret(&n.URL), "", "A shoutrrr URL, such as ${env:NOTIFY_URL}.")}
}

func notify(v value) (Notify, bool) {
	var n Notify
	if v.node.Kind != mappingNode {
		v.fault("takes a mapping, not "+v.kind(), "write - url: smtp://…, slack://… or generic+https://…")
		return n, false
	}
	v.mapping(notifyFields(&n))
	if n.URL.IsZero() {
		return n, false
	}
	if !hasScheme(n.URL.Reveal()) {
		v.fault("the URL has no scheme", "write a shoutrrr URL, such as smtp://…, slack://… or generic+https://…")
		return n, false
	}
	if v.l.options.Notify != nil {
		if message, hint := v.l.options.Notify(n.URL.Reveal()); message != "" {
			v.fault(message, hint)
			return n, false
		}
	}
	return n, true
}

func logFormat(dst *bool) kind {
	words := []string{"text", "json"}
	return kind{schema: schema{"enum": words}, read: func(v value) {
		var s string
		oneOf(&s, words...).read(v)
		*dst = s == "json"
	}}
}

func logLevel(dst *slog.Level) kind {
	words := []string{"debug", "info", "warn", "error"}
	return kind{schema: schema{"enum": words}, read: func(v value) {
		var s string
		oneOf(&s, words...).read(v)
		if s != "" {
			*dst = levels[s]
		}
	}}
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
