package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"domherre/cmd/domherre-lab/lab"
)

// envPrefix starts the variables that stand for flags: --resolver is
// DOMHERRE_LAB_RESOLVER.
const envPrefix = "DOMHERRE_LAB_"

// settings are the flags of all commands; each command takes some.
type settings struct {
	json, verbose bool
	dir           string

	names, resolver             string
	acme, management            string
	rdap                        string
	frontendHTTPS, frontendHTTP string
	frontendHost                string
	nameservers                 []string
	root, askResolver           string
	httpPort, httpsPort         int
	slow                        bool
	rejectNonces                int
	eab, profiles               []string
}

// newCommand builds the command line. getenv gives the flags' defaults.
func newCommand(getenv func(string) string) *cobra.Command {
	s := &settings{}
	root := &cobra.Command{
		Use:           "domherre-lab",
		Short:         "A closed internet on loopback, for the demo and the tests",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags(), getenv)
		},
	}
	flags := root.PersistentFlags()
	flags.BoolVar(&s.json, "json", false, "print the addresses as JSON")
	flags.BoolVarP(&s.verbose, "verbose", "v", false, "log what the parts do, on stderr")
	flags.StringVar(&s.dir, "dir", "", "folder for lab.json and lab-ca.pem")
	root.AddCommand(s.allCommand(), s.demoCommand(), s.dnsCommand(), s.resolverCommand(), s.acmeCommand(), s.rdapCommand(), s.frontendCommand())
	return root
}

// fromEnvironment fills flags that weren't given from variables.
func fromEnvironment(flags *pflag.FlagSet, getenv func(string) string) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := getenv(name)
		if f.Changed || value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	return errors.Join(errs...)
}

func (s *settings) namesFlags(f *pflag.FlagSet) {
	f.StringVar(&s.names, "dns", "127.0.0.1:15300", "where the root and TLD name servers listen")
}

func (s *settings) nameserverFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&s.nameservers, "nameserver",
		[]string{"ns1.domherre.example=127.0.0.1:18053", "ns2.domherre.example=127.0.0.1:18053"},
		"the provider's name servers, NAME=ADDRESS:PORT: all names are delegated to them")
}

func (s *settings) resolverFlags(f *pflag.FlagSet) {
	f.StringVar(&s.resolver, "resolver", "127.0.0.1:15353", "where the recursive resolver listens")
}

func (s *settings) acmeFlags(f *pflag.FlagSet) {
	f.StringVar(&s.acme, "acme", "127.0.0.1:14000", "where the CA listens")
	f.StringVar(&s.management, "acme-management", "127.0.0.1:15000", "where the CA's management listens")
	f.IntVar(&s.httpPort, "http-port", 18080, "port that http-01 is validated at: Domherre's HTTP port")
	f.IntVar(&s.httpsPort, "https-port", 18443, "port that tls-alpn-01 is validated at: Domherre's HTTPS port")
	f.BoolVar(&s.slow, "slow", false, "let the CA wait up to 5 s before it validates")
	f.IntVar(&s.rejectNonces, "reject-nonces", 0, "percent of good nonces that the CA refuses")
	f.StringSliceVar(&s.eab, "eab", nil, "external account key, ID=MAC; any makes them required")
	f.StringSliceVar(&s.profiles, "profile", nil, "certificate profile, NAME=LIFETIME such as short=144h")
}

func (s *settings) rdapFlags(f *pflag.FlagSet) {
	f.StringVar(&s.rdap, "rdap", "127.0.0.1:14080", "where the registries' RDAP listens")
}

func (s *settings) frontendFlags(f *pflag.FlagSet) {
	f.StringVar(&s.frontendHTTPS, "frontend", "127.0.0.1:15443", "where the frontend listens for HTTPS")
	f.StringVar(&s.frontendHTTP, "frontend-http", "127.0.0.1:15080", "where the frontend listens for HTTP")
	f.StringVar(&s.frontendHost, "frontend-host", "www.duavgör.se", "the frontend's name")
}

func (s *settings) log() *slog.Logger {
	if !s.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (s *settings) providers() ([]lab.Nameserver, error) {
	var servers []lab.Nameserver
	for _, text := range s.nameservers {
		ns, err := lab.ParseNameserver(text)
		if err != nil {
			return nil, err
		}
		servers = append(servers, ns)
	}
	return servers, nil
}

func (s *settings) registry() (*lab.Registry, error) {
	servers, err := s.providers()
	if err != nil {
		return nil, err
	}
	return lab.NewRegistry(servers, time.Now())
}

// acmeOptions reads the CA's flags; the resolver and the authority are the
// caller's.
func (s *settings) acmeOptions() (lab.ACMEOptions, error) {
	o := lab.ACMEOptions{
		Listen: s.acme, Management: s.management,
		HTTPPort: s.httpPort, TLSPort: s.httpsPort,
		Slow: s.slow, RejectNonces: s.rejectNonces,
		EAB: map[string]string{}, Profiles: map[string]lab.Profile{},
		Log: s.log(),
	}
	for _, pair := range s.eab {
		id, key, ok := strings.Cut(pair, "=")
		if !ok {
			return o, errors.New("--eab: write ID=MAC")
		}
		o.EAB[id] = key
	}
	for _, pair := range s.profiles {
		name, text, _ := strings.Cut(pair, "=")
		lifetime, err := time.ParseDuration(text)
		if err != nil {
			return o, fmt.Errorf("--profile %q: write NAME=LIFETIME such as short=144h", pair)
		}
		o.Profiles[name] = lab.Profile{Description: text, Lifetime: lifetime}
	}
	return o, nil
}

// parseAddr reads a flag that holds an address with its port.
func parseAddr(flag, text string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return at, fmt.Errorf("--%s %q: write ADDRESS:PORT", flag, text)
	}
	return at, nil
}

// serve prints where a part listens, waits for the end and closes it.
func (s *settings) serve(ctx context.Context, out io.Writer, where map[string]string, part io.Closer) error {
	if err := s.print(out, where); err != nil {
		return errors.Join(err, part.Close())
	}
	<-ctx.Done()
	return part.Close()
}

func (s *settings) print(out io.Writer, where map[string]string) error {
	if s.json {
		return json.NewEncoder(out).Encode(where)
	}
	for _, name := range slices.Sorted(maps.Keys(where)) {
		if _, err := fmt.Fprintf(out, "%-12s %s\n", name, where[name]); err != nil {
			return err
		}
	}
	return nil
}

// writeRoots leaves a part's roots in the folder, where one was given.
func (s *settings) writeRoots(roots []byte) (string, error) {
	if s.dir == "" {
		return "", nil
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(s.dir, "lab-ca.pem")
	return file, os.WriteFile(file, roots, 0o644)
}
