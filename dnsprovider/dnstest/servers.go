package dnstest

import (
	"fmt"
	"strings"
	"testing"
)

// StartKnot starts Knot DNS with the zones, each holding Content; the key may
// transfer and update them. It signs zones whose names begin with "signed".
func StartKnot(t testing.TB, zones ...string) *Server {
	t.Helper()
	return start(t, program{
		binary: "knotd", apt: "knot", config: "knot.conf",
		args:  func(config string) []string { return []string{"-c", config} },
		write: knotConfig,
	}, zones)
}

// knotHead is the beginning of each configuration of Knot DNS: where it listens
// and keeps things, and the key that it knows.
func knotHead(dir string, port int) string {
	return fmt.Sprintf(`server:
    rundir: %[1]q
    listen: 127.0.0.1@%[2]d
    udp-workers: 1
    tcp-workers: 2
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: %[1]q
key:
  - id: %[3]s
    algorithm: hmac-sha256
    secret: %[4]s
`, dir, port, KeyName, Secret)
}

func knotConfig(dir string, port int, zones []string) (string, error) {
	var b strings.Builder
	b.WriteString(knotHead(dir, port))
	fmt.Fprintf(&b, `  - id: %[3]s
    algorithm: hmac-sha256
    secret: %[4]s
acl:
  - id: all
    key: %[2]s
    action: [transfer, update]
template:
  - id: default
    storage: %[1]q
    file: "%%s.zone"
    acl: all
    zonefile-sync: -1
    zonefile-load: whole
zone:
`, dir, KeyName, IdleKeyName, Secret)
	for _, zone := range zones {
		fmt.Fprintf(&b, "  - domain: %s\n", zone)
		if strings.HasPrefix(zone, "signed") {
			b.WriteString("    dnssec-signing: on\n")
		}
	}
	return b.String(), nil
}

// StartBIND starts BIND with the zones, each holding Content; the key may
// transfer and update them.
func StartBIND(t testing.TB, zones ...string) *Server {
	t.Helper()
	return start(t, program{
		binary: "named", apt: "bind9", config: "named.conf",
		args:  func(config string) []string { return []string{"-g", "-n", "2", "-c", config} },
		write: bindConfig,
	}, zones)
}

func bindConfig(dir string, port int, zones []string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `options {
	directory %[1]q;
	listen-on port %[2]d { 127.0.0.1; };
	listen-on-v6 { none; };
	pid-file none;
	session-keyfile none;
	recursion no;
	dnssec-validation no;
	notify no;
	transfers-out 100;
	check-integrity no;
};
controls { };
key %[3]q { algorithm hmac-sha256; secret %[4]q; };
key %[5]q { algorithm hmac-sha256; secret %[4]q; };
`, dir, port, KeyName, Secret, IdleKeyName)
	for _, zone := range zones {
		zone = strings.TrimSuffix(zone, ".")
		fmt.Fprintf(&b, "zone %q { type primary; file \"%s.zone\"; allow-update { key %q; }; allow-transfer { key %q; }; };\n",
			zone, zone, KeyName, KeyName)
	}
	return b.String(), nil
}
