package dnsprovider

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"domherre/dnsprovider/embedded"
	"domherre/dnsprovider/powerdns"
	"domherre/dnsprovider/rfc2136"
	"domherre/portfolio"
)

// Type is a kind of provider, for reference and for checking configs.
type Type struct {
	Name    string
	Home    string   // where its makers describe it
	Summary string   // one line
	Cannot  []string // what it can't do, a sentence each
	MinTTL  uint32   // seconds; lower ones are raised to it by the provider
	TTLs    []uint32 // the only ones that it knows, ascending; others are raised to the next, or lowered to the last
	// Unsupported names what it can't hold: a type, "HTTPS", or one with its data, "MX 0 .".
	Unsupported []string
	Creates     bool      // it creates zones that are missing
	CreatesBy   string    // the setting by which it does; empty where it does anyway, or never
	OneValue    bool      // it can't hold several values of a name and type
	NoApex      bool      // it can't hold records at the domain itself
	Longest     int       // octets of a text that it can hold; 0: any number
	Settings    []Setting // in the order to write them
	Limits      Limits    // defaults
}

// TTL gives the TTL that the type makes of one, in seconds.
func (t Type) TTL(ttl uint32) uint32 { return portfolio.Facts{MinTTL: t.MinTTL, TTLs: t.TTLs}.TTL(ttl) }

// refuses says why the type can't hold an RRset; empty where it can.
func (t Type) refuses(set portfolio.RRset) string {
	what := set.Name + " " + set.Type
	switch {
	case t.OneValue && len(set.Data) > 1:
		return fmt.Sprintf("%s: the type %s holds one value of a name and type, not %d", what, t.Name, len(set.Data))
	case t.NoApex && set.Name == "@":
		return fmt.Sprintf("%s: the type %s can't hold records at the domain itself", what, t.Name)
	}
	for _, data := range set.Data {
		if set.Type == "TXT" && t.Longest > 0 && len(data) > t.Longest {
			return fmt.Sprintf("%s: the type %s holds texts of up to %d octets, not %d", what, t.Name, t.Longest, len(data))
		}
		for _, u := range t.Unsupported {
			if u == set.Type || u == set.Type+" "+data {
				return fmt.Sprintf("%s: the type %s can't hold %s records", what, t.Name, u)
			}
		}
	}
	return ""
}

// Setting is one setting of a type.
type Setting struct {
	Key      string
	Kind     string // string, int, number, bool, duration, list of strings
	Doc      string
	Default  string
	Example  string
	Required bool
	Secret   bool
}

// Example gives the type's settings as they stand in a config, an entry of
// providers: named main.
func (t Type) Example() string {
	out := "main:\n  type: " + t.Name + "\n"
	for _, s := range t.Settings {
		switch {
		case s.Example != "":
			out += "  " + s.Key + ": " + s.Example + "\n"
		case s.Default != "":
			out += "  " + s.Key + ": " + s.Default + "\n"
		}
	}
	return out
}

// row is a type with what makes it work.
type row struct {
	Type
	settings func() any                                          // a pointer to its settings' zero value
	open     func(settings any, cfg Config, d Deps) (any, error) // gives an implementation of libdns' interfaces
	check    func(settings any) (faults map[string]error)        // beyond what decoding sees; may be nil
	how      strategy
	module   bool // of libdns: see Routed
	byCall   bool // its HTTP requests don't come by one by one
	weights  weights
	partial  bool // its list of zones may lack some
	guards   bool // WriteZone itself refuses what is stale; else the store's lock keeps others away
}

// Types lists the kinds of providers.
func Types() []Type {
	var types []Type
	for _, r := range rows() {
		r.Type.Settings, _ = r.known(r.settings())
		types = append(types, r.Type)
	}
	return types
}

// TypeOf gives the kind of that name, and whether there is one.
func TypeOf(name string) (Type, bool) {
	table := rows()
	i := slices.IndexFunc(table, func(r row) bool { return r.Name == name })
	if i < 0 {
		return Type{}, false
	}
	t := table[i].Type
	t.Settings, _ = table[i].known(table[i].settings())
	return t, true
}

// TypeWith is TypeOf, as the type is with these settings.
func TypeWith(name string, settings map[string]any) (Type, bool) {
	t, ok := TypeOf(name)
	return t.with(settings), ok
}

// with lets the type create zones where the settings do.
func (t Type) with(settings map[string]any) Type {
	for key, value := range settings {
		if t.CreatesBy != "" && strings.EqualFold(key, t.CreatesBy) && value != false && value != "" {
			t.Creates = true
		}
	}
	return t
}

// local are the limits towards servers of one's own.
func local() Limits {
	return Limits{Concurrency: 8, Timeout: 15 * time.Second, Retries: 4}
}

// rows is the registry: a line or two per type.
func rows() []row {
	inOne := weights{read: 1, zone: 1}
	own := []row{
		typed(Type{
			Name: "embedded", Home: "https://www.rfc-editor.org/rfc/rfc1034", Limits: local(), Creates: true,
			Summary: "the authoritative server inside the daemon; its zones are kept in the state",
			Cannot:  []string{"it doesn't sign zones (DNSSEC)", "it serves from this machine alone: put secondaries beside it"},
		}, openEmbedded, embedded.Settings.Check).guarding().weighs(inOne),
		typed(Type{
			Name: "rfc2136", Home: "https://www.rfc-editor.org/rfc/rfc2136", Limits: local(),
			Summary: "a name server that takes dynamic updates signed by TSIG: BIND, Knot DNS, PowerDNS",
			Cannot:  []string{"it can't list zones", "it can't create zones: add each to the server first", "PowerDNS takes texts that differ in case alone for the same: use the type powerdns there"},
		}, func(s rfc2136.Settings, cfg Config, d Deps) (any, error) {
			return rfc2136.New(s, memory(cfg, d, s.Server))
		}, rfc2136.Settings.Check).guarding().weighs(inOne),
		typed(Type{
			Name: "powerdns", Home: "https://doc.powerdns.com/authoritative/http-api/", Limits: local(), Creates: true,
			Summary: "a PowerDNS Authoritative Server, by its HTTP API",
			Cannot:  []string{"on SQLite it can't write zones in parallel; concurrency adapts to that", "disabled records are not seen, and go when their RRset is written"},
		}, openPowerDNS, powerdns.Settings.Check).weighs(inOne),
	}
	return append(own, modules()...)
}

func openPowerDNS(s powerdns.Settings, cfg Config, d Deps) (any, error) {
	o := powerdns.Options{HTTP: d.HTTP, Now: d.Now, Memory: memory(cfg, d, s.ServerURL+" "+s.ServerID)}
	for _, ns := range cfg.Nameservers {
		if ns.Name != "" {
			o.Nameservers = append(o.Nameservers, ns.Name)
		}
	}
	return powerdns.New(s, o)
}

func openEmbedded(s embedded.Settings, cfg Config, d Deps) (any, error) {
	if d.Store == nil {
		return nil, errors.New("the embedded type needs the state, which is not open here")
	}
	o := embedded.Options{Settings: s, Now: d.Now}
	for _, ns := range cfg.Nameservers {
		if ns.Name == "" {
			continue // serves the zones, but has no name to be found by
		}
		served := embedded.Nameserver{Name: ns.Name}
		if ns.Addr.IsValid() {
			served.Addrs = []netip.Addr{ns.Addr.Addr()}
		}
		o.Nameservers = append(o.Nameservers, served)
	}
	return embedded.NewProvider(d.Store, o)
}

// typed makes a row whose settings are of type S.
func typed[S any](t Type, open func(S, Config, Deps) (any, error), check func(S) map[string]error) row {
	r := row{
		Type:     t,
		settings: func() any { return new(S) },
		open:     func(settings any, cfg Config, d Deps) (any, error) { return open(*settings.(*S), cfg, d) },
	}
	if check != nil {
		r.check = func(settings any) map[string]error { return check(*settings.(*S)) }
	}
	return r
}

// guarding marks a type that refuses what is stale by itself.
func (r row) guarding() row {
	r.guards = true
	return r
}
