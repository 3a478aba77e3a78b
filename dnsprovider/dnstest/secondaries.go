package dnstest

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// StartKnotSecondary starts Knot DNS as a secondary that takes the zones from
// the server at primary, by the key, and hears its NOTIFY.
func StartKnotSecondary(t testing.TB, primary string, zones ...string) *Server {
	t.Helper()
	var list strings.Builder
	for _, zone := range zones {
		fmt.Fprintf(&list, "  - domain: %s\n", zone)
	}
	return startKnotSecondary(t, primary, list.String())
}

// StartKnotCatalog is StartKnotSecondary for the zones that a catalog zone lists.
func StartKnotCatalog(t testing.TB, primary, catalog string) *Server {
	t.Helper()
	return startKnotSecondary(t, primary, fmt.Sprintf("  - domain: %s\n    catalog-role: interpret\n    catalog-template: default\n", catalog))
}

func startKnotSecondary(t testing.TB, primary, zones string) *Server {
	t.Helper()
	return start(t, program{
		binary: "knotd", apt: "knot", config: "knot.conf",
		args: func(config string) []string { return []string{"-c", config} },
		write: func(dir string, port int, _ []string) (string, error) {
			host, at, err := net.SplitHostPort(primary)
			if err != nil {
				return "", err
			}
			var b strings.Builder
			b.WriteString(knotHead(dir, port))
			fmt.Fprintf(&b, `remote:
  - id: domherre
    address: %[3]s@%[4]s
    key: %[2]s
acl:
  - id: domherre
    key: %[2]s
    action: notify
template:
  - id: default
    storage: %[1]q
    master: domherre
    acl: domherre
    zonefile-sync: -1
zone:
`, dir, KeyName, host, at)
			return b.String() + zones, nil
		},
	}, nil)
}

// StartNSD starts NSD as a secondary that takes the zones from the server at
// primary, by the key, and hears its NOTIFY. NSD is a secondary only.
func StartNSD(t testing.TB, primary string, zones ...string) *Server {
	t.Helper()
	return start(t, program{
		binary: "nsd", apt: "nsd", config: "nsd.conf",
		args: func(config string) []string { return []string{"-d", "-c", config} },
		write: func(dir string, port int, _ []string) (string, error) {
			var b strings.Builder
			fmt.Fprintf(&b, `server:
    ip-address: 127.0.0.1@%[2]d
    username: ""
    chroot: ""
    zonesdir: %[1]q
    zonelistfile: "%[1]s/zone.list"
    xfrdfile: "%[1]s/xfrd.state"
    xfrdir: %[1]q
    pidfile: ""
    database: ""
    verbosity: 2
    server-count: 1
remote-control:
    control-enable: no
key:
    name: %[3]q
    algorithm: hmac-sha256
    secret: %[4]q
`, dir, port, strings.TrimSuffix(KeyName, "."), Secret)
			for _, zone := range zones {
				at := strings.ReplaceAll(primary, ":", "@")
				key := strings.TrimSuffix(KeyName, ".")
				fmt.Fprintf(&b, "zone:\n    name: %q\n    request-xfr: %s %s\n    allow-notify: 127.0.0.1 %s\n", zone, at, key, key)
			}
			return b.String(), nil
		},
	}, nil)
}

// StartBINDSecondary starts BIND as a secondary that takes the zones from the
// server at primary, by the key, and hears its NOTIFY.
func StartBINDSecondary(t testing.TB, primary string, zones ...string) *Server {
	t.Helper()
	return start(t, program{
		binary: "named", apt: "bind9", config: "named.conf",
		args: func(config string) []string { return []string{"-g", "-n", "2", "-c", config} },
		write: func(dir string, port int, _ []string) (string, error) {
			host, at, err := net.SplitHostPort(primary)
			if err != nil {
				return "", err
			}
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
};
controls { };
key %[3]q { algorithm hmac-sha256; secret %[4]q; };
server %[5]s { keys { %[3]q; }; };
`, dir, port, KeyName, Secret, host)
			for _, zone := range zones {
				fmt.Fprintf(&b, "zone %q { type secondary; file \"%s.copy\"; primaries { %s port %s key %q; }; };\n", zone, zone, host, at, KeyName)
			}
			return b.String(), nil
		},
	}, nil)
}
