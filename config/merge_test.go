package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

const smallConfig = `campaign: Du avgör!
frontend: https://www.duavgör.se/
domains: [domains.txt]
providers: {main: {type: rfc2136, server: "127.0.0.1:53"}}
dns: {addresses: [192.0.2.10]}
tls: {issuers: [{internal: {}}]}
`

// folder writes files into a new folder and gives the path of its
// domherre.yaml.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, s := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600))
	}
	return filepath.Join(dir, "domherre.yaml")
}

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestFlagsWinOverVariablesOverTheFile(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string]string{
		"domains.txt": "kopasex.se\n",
		"domherre.yaml": smallConfig + `
listen: {http: ":1001", https: ":1002", admin: "127.0.0.1:1003"}
log: {level: warn}
`})
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(flags, "listen.http", "state", "hits.hide_below", "log.format")
	must(t, flags.Parse([]string{"--listen-http", ":3001", "--hits-hide-below=3"}))
	c, problems := Load(path, Options{Flags: flags, Env: env(map[string]string{
		"DOMHERRE_LISTEN_HTTP":     ":2001",
		"DOMHERRE_LISTEN_HTTPS":    ":2002",
		"DOMHERRE_LISTEN_ADMIN":    "", // as good as unset
		"DOMHERRE_HITS_HIDE_BELOW": "2",
		"DOMHERRE_DNS_HOSTS":       "www, @",
		"DOMHERRE_RECONCILE_EVERY": "1h",
	})})
	must(t, problems.Err())
	got := fmt.Sprintln(c.Listen.HTTP, c.Listen.HTTPS, c.Listen.Admin, c.Hits.HideBelow, c.DNS.Hosts, c.Reconcile.Every, c.Reconcile.Apply, c.Log.Level)
	if want := ":3001 :2002 127.0.0.1:1003 3 [www @] 1h0m0s true WARN\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if want := filepath.Join(filepath.Dir(path), "state"); string(c.State) != want {
		t.Errorf("state is %s, not %s", string(c.State), want)
	}
}

func TestProblemsOfFlagsAndVariablesNameThem(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string]string{"domherre.yaml": smallConfig, "domains.txt": "kopasex.se\n"})
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(flags, "log.level")
	must(t, flags.Parse([]string{"--log-level=loud"}))
	_, problems := Load(path, Options{Flags: flags, Env: env(map[string]string{"DOMHERRE_LANGUAGE": "fi"})})
	want := "$DOMHERRE_LANGUAGE: language: takes sv or en, not \"fi\"\n--log-level: log.level: takes debug, info, warn or error, not \"loud\""
	if problems.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", problems.Error(), want)
	}
}

func TestAddFlagsTakesOnlyKeys(t *testing.T) {
	t.Parallel()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(flags, "listen.http", "no.such")
	n := 0
	flags.VisitAll(func(*pflag.Flag) { n++ })
	if n != 1 || flags.Lookup("listen-http") == nil {
		t.Errorf("%d flags", n)
	}
}

// Swedish Excel saves Windows-1252 with semicolons, or UTF-8 with a
// byte-order mark; the domains are the same.
func TestTablesInEveryEncoding(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]string{
		"UTF-8":               "domain,note\nköpasex.example,Umeå\nkopasex.se,\n",
		"byte-order mark":     "\ufeffdomain;note\r\nköpasex.example;Umeå\r\nkopasex.se;\r\n",
		"Windows-1252":        "domain;note\r\nk\xf6pasex.example;Ume\xe5\r\nkopasex.se;",
		"tabs, upper case":    "Domain\tNOTE\nK\u00d6PASEX.EXAMPLE\tUmeå\nkopasex.se.\n",
		"decomposed":          "domain,note\nko\u0308pasex.example,Umeå\nkopasex.se\n",
		"A-labels, quotes":    "\"domain\",\"note\"\n\"xn--kpasex-wxa.example\",\"Umeå\"\n\"kopasex.se\",\"\"\n",
		"old Mac line ends":   "domain;note\rköpasex.example;Umeå\rkopasex.se;\r",
		"sep=, blank lines":   "sep=;\r\ndomain;note\r\n\r\nköpasex.example;Umeå\r\n;\r\nkopasex.se;\r\n\r\n",
		"columns moved":       "note;paused;domain\nUmeå;nej;köpasex.example\n;FALSKT;kopasex.se\n",
		"blanks, empty tails": "domain ; note;;\n köpasex.example\u00a0; Umeå;;\nkopasex.se;;;\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := folder(t, map[string]string{"domherre.yaml": strings.ReplaceAll(smallConfig, "domains.txt", "d.csv"), "d.csv": table})
			c, problems := Load(path, Options{})
			must(t, problems.Err())
			var got []string
			for _, d := range c.Portfolio.Domains {
				got = append(got, d.Name.ASCII()+" "+d.Note)
			}
			if s := strings.Join(got, ", "); s != "xn--kpasex-wxa.example Umeå, kopasex.se " {
				t.Errorf("got %s", s)
			}
		})
	}
}

func TestPlainFilesInEveryEncoding(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{
		"UTF-8":           "köpasex.example # Umeå\n\nkopasex.se\n",
		"byte-order mark": "\ufeffköpasex.example\r\nkopasex.se",
		"Windows-1252":    "# f\xf6r Ume\xe5\r\nK\xd6PASEX.example\r\n\tkopasex.se \r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := folder(t, map[string]string{"domherre.yaml": smallConfig, "domains.txt": list})
			c, problems := Load(path, Options{})
			must(t, problems.Err())
			if len(c.Portfolio.Domains) != 2 || c.Portfolio.Domains[0].Name.Unicode() != "köpasex.example" {
				t.Errorf("got %v", c.Portfolio.Domains)
			}
		})
	}
}

func TestTablesThatAreNoText(t *testing.T) {
	t.Parallel()
	for table, want := range map[string]string{
		"\xff\xfed\x00o\x00":    "the file is UTF-16",
		"PK\x03\x04\x00\x00abc": "the file isn't text",
	} {
		path := folder(t, map[string]string{"domherre.yaml": strings.ReplaceAll(smallConfig, "domains.txt", "d.csv"), "d.csv": table})
		if _, problems := Load(path, Options{}); len(problems) != 1 || problems[0].Message != want {
			t.Errorf("got %v, want %q", problems, want)
		}
	}
}

// Nothing that prints a configuration shows a secret of it.
func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string]string{
		"domains.txt": "kopasex.se\n",
		"key":         "hemligt+nyckel\n",
		"domherre.yaml": `campaign: Du avgör!
frontend: https://www.duavgör.se/
domains: [domains.txt]
providers: {main: {type: rfc2136, server: "127.0.0.1:53", key: "${file:key}", deep: {token: hemligt-djup}}}
dns: {addresses: [192.0.2.10]}
tls: {issuers: [{acme: https://acme.example/directory, eab: {key_id: x, mac_key: "${env:MAC}"}}]}
notify: [{url: "smtp://anna:hemligt-post@mail.example"}]
admin: {token: hemligt-sida}
state: postgres://domherre:hemligt-db@db.example/domherre
`})
	c, problems := Load(path, Options{Env: env(map[string]string{"MAC": "hemligt-mac"})})
	must(t, problems.Err())
	if c.Admin.Token.Reveal() != "hemligt-sida" || c.Providers[0].Settings["key"] != "hemligt+nyckel" || c.TLS.Issuers[0].EAB.MACKey.Reveal() != "hemligt-mac" {
		t.Fatal("the secrets weren't read")
	}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "config", c, "value", *c, "token", c.Admin.Token, "settings", c.Providers[0].Settings, "state", c.State)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", c, "value", *c, "token", c.Admin.Token, "provider", c.Providers[0], "state", c.State)
	hiddenIn := struct {
		token Secret
		c     *Config
	}{c.Admin.Token, c}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&log, verb+verb+verb, c, *c, c.TLS.Issuers[0].EAB)
	}
	fmt.Fprintf(&log, "%v%+v%#v", hiddenIn, hiddenIn, hiddenIn)
	log.WriteString(c.Redact("dial smtp://anna:hemligt-post@mail.example: hemligt+nyckel, hemligt%2Bnyckel, hemligt-db"))
	if strings.Contains(log.String(), "hemligt") {
		i := strings.Index(log.String(), "hemligt")
		t.Errorf("a secret is in …%s", log.String()[max(0, i-300):min(i+50, log.Len())])
	}
}

func TestStarterValidates(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name, b := range Starter() {
		files[name] = string(b)
	}
	c, problems := Load(folder(t, files), Options{Env: env(nil)})
	if len(problems) > 0 || len(c.Portfolio.Domains) != 1 {
		t.Errorf("%d domains, problems:\n%s", len(c.Portfolio.Domains), problems.Error())
	}
}

func TestStarterShowsEveryKey(t *testing.T) {
	t.Parallel()
	main := string(Starter()["domherre.yaml"])
	leaves("", tables(&loader{}), func(path string, f field) {
		if !strings.Contains(main, f.key+":") {
			t.Errorf("%s isn't shown", path)
		}
	})
}

func TestLoadFindsTheFile(t *testing.T) {
	if _, err := os.Stat("/etc/domherre/domherre.yaml"); err == nil {
		t.Skip("this machine has a configuration of its own")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	c, problems := Load("", Options{})
	want := "domherre.yaml: no config at domherre.yaml or /etc/domherre/domherre.yaml\n  hint: make one with `domherre init`, or name it with --config"
	if problems.Error() != want || len(c.Sources.Files) != 2 {
		t.Errorf("got %s; %v", problems.Error(), c.Sources)
	}
	must(t, os.WriteFile("domherre.yaml", []byte(smallConfig), 0o600), os.WriteFile("domains.txt", []byte("kopasex.se"), 0o600))
	c, problems = Load("", Options{})
	must(t, problems.Err())
	if d := c.Portfolio.Domains; len(d) != 1 || d[0].Source.File != "domains.txt" {
		t.Errorf("got %v", d)
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "0": 0, "1.5d": 36 * time.Hour, "250ms": 250 * time.Millisecond,
	} {
		if got, problem, _ := parseDuration(s); got != want || problem != "" {
			t.Errorf("%s: %s %s, want %s", s, got, problem, want)
		}
	}
	for _, s := range []string{"", "10", "m", "-5m", "10 m", "1y", "99999999999d", "1e3d"} {
		if got, problem, _ := parseDuration(s); problem == "" {
			t.Errorf("%q gave %s", s, got)
		}
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"Du avgör!": "du-avgor", "Ängelholm & Åre – nej!": "angelholm-are-nej", "--A--": "a", "Öl ßtraße Æon ø": "ol-sstrasse-aeon-o",
		"!!!": "", strings.Repeat("a", 70): strings.Repeat("a", 63), strings.Repeat("a", 62) + "-b": strings.Repeat("a", 62),
	} {
		if got := slug(s); got != want || slug(got) != got {
			t.Errorf("%q gave %q, want %q", s, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"frontend", "provider", "redirect", "launch"}
	for word, want := range map[string]string{"fronted": "frontend", "FRONTEND": "frontend", "rediretc": "redirect", "lunch": "launch", "x": "", "": ""} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q gave %q, want %q", word, got, want)
		}
	}
}
