package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"domherre/check"
	"domherre/config"
)

// mistakes are lines that staff write, each wrong in a way of its own.
var mistakes = []string{
	"www.kopasex.se", "ö.lab.köpasex.se", "https://kopasex.nu/x", "köpa sex.se", "kopasex.example", "KOPASEX.example", "se", "kop_a.se",
	"info@kopasex.se", "192.0.2.1", "kоpasex.se", "💩.se", "duavgör.se", "straße.se", "š.nu", "א1.se", "a..b.se", "-a.se", "a-.se", "ab--c.se",
	strings.Repeat("a", 70) + ".se", "kopasex.se:443", "kopasex.se, kopasex.nu", "kopasex", "kopasex.123", "k\u200dopasex.se", "kopasex。se",
	"ｋopasex.se", "a·b.example", "xn--99999999.se", "*.kopasex.se", "kop\u00a0asex.se", "1א.example",
}

// TestFaultsInSwedish reads a list in which every line but one is wrong, as the
// page tells it to staff: no English is left, and the line's number stands there.
func TestFaultsInSwedish(t *testing.T) {
	t.Parallel()
	faults := faultsOf(t, "domains.txt", "kopasex.example\n"+strings.Join(mistakes, "\n"))
	if len(faults) < len(mistakes)-1 {
		t.Fatalf("only %d of %d lines are wrong", len(faults), len(mistakes)-1)
	}
	faults = append(faults, faultsOf(t, "domains.yaml", `domains:
  - name: kopasex.nu
    launch: 2026-13-01
    nots: x
  - name: kopasex.example
    paused: ja
    frontend: http://x.se
  - launch: 2027-01-01
`)...)
	faults = append(faults, faultsOf(t, "domains.csv", "domain;note;launch;paused\nkopasex.se;;i morgon;kanske\n;x;;\n")...)
	faults = append(faults, faultsOf(t, "domains.csv", "doman;note\nkopasex.se;x\n")...)
	for _, p := range faults {
		for _, text := range []string{p.Message, p.Hint} {
			if swedish := check.ListFault("sv", text); text != "" && swedish == text {
				t.Errorf("%s stays English: %s", p.Place(), text)
			}
		}
	}
	finding, _ := faulty(faults)
	want := `domains.txt, rad 2: "www.kopasex.se" är ett namn under kopasex.se (skriv kopasex.se; www läggs till av sig självt); `
	if !strings.Contains(finding.sv, want) || !strings.HasSuffix(finding.sv, " fel till.") {
		t.Errorf("the page tells %q", finding.sv)
	}
	if want := `domains.txt, line 2: "www.kopasex.se" is a host of kopasex.se (write kopasex.se; www is added by dns.hosts); `; !strings.Contains(finding.en, want) {
		t.Errorf("in English it tells %q", finding.en)
	}
}

// faultsOf gives the faults that a domain file has; the config around it is good.
func faultsOf(t *testing.T, name, list string) config.Problems {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		name: list,
		"domherre.yaml": "campaign: Du avgör!\nfrontend: https://www.duavgör.se/\ndomains: [" + name + "]\n" +
			"providers: {main: {type: embedded, nameservers: [ns1.example.net, ns2.example.net]}}\ndns: {addresses: [192.0.2.10]}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, problems := config.Load(filepath.Join(dir, "domherre.yaml"), config.Options{})
	faults := problems.Errors()
	for i := range faults {
		faults[i].File = filepath.Base(faults[i].File)
	}
	return faults
}
