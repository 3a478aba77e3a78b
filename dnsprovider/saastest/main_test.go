package saastest_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"testing"

	"domherre/dnsprovider"
	"domherre/dnsprovider/saastest"
	"domherre/portfolio"
)

// network is all that the modules reach.
var network = new(saastest.Net)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	base := &http.Transport{TLSNextProto: make(map[string]func(string, *tls.Conn) http.RoundTripper)}
	base.RegisterProtocol("https", network)
	http.DefaultTransport = dnsprovider.Routed(base)

	temp, err := os.MkdirTemp("", "saastest")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(temp)

	// Nothing of AWS' usual places is looked at.
	for key, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"TMPDIR": temp,
	} {
		if err := os.Setenv(key, value); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

// fast are limits that don't slow a test down.
func fast() dnsprovider.Limits { return dnsprovider.Limits{RequestsPerSecond: 1e6, Retries: 3} }

// config is the account as a provider named main; dns is where its name servers
// are.
func config(f *saastest.Fake, dns string) dnsprovider.Config {
	cfg := dnsprovider.Config{Name: "main", Type: f.Type, Settings: f.Settings(f.Token), Limits: fast()}
	if dns != "" {
		cfg.Nameservers = []dnsprovider.Nameserver{{Name: "ns1.saastest.example", Addr: netip.MustParseAddrPort(dns)}}
	}
	return cfg
}

func open(t *testing.T, cfg dnsprovider.Config, d dnsprovider.Deps) *dnsprovider.Set {
	t.Helper()
	set, err := dnsprovider.Open([]dnsprovider.Config{cfg}, d)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// each runs a test on every vendor whose type this build has.
func each(t *testing.T, test func(*testing.T, saastest.Vendor)) {
	types := dnsprovider.Types()
	for _, v := range saastest.Vendors() {
		t.Run(v.Type, func(t *testing.T) {
			t.Parallel()
			if !slices.ContainsFunc(types, func(typ dnsprovider.Type) bool { return typ.Name == v.Type }) {
				t.Skip("left out by the build tag lean")
			}
			test(t, v)
		})
	}
}

func named(t *testing.T, name string) portfolio.Domain {
	t.Helper()
	n, err := portfolio.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return portfolio.Domain{Name: n, Provider: "main"}
}

func makeSet(t *testing.T, d portfolio.Domain, owner, typ string, ttl uint32, data ...string) portfolio.RRset {
	t.Helper()
	s, err := portfolio.NewRRset(d.Name, owner, typ, ttl, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func zones() []string {
	var out []string
	for i := range 20 {
		out = append(out, fmt.Sprintf("c%02d.example", i))
	}
	return out
}
