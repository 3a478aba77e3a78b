package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"domherre/cmd/domherre-lab/lab"
)

func (s *settings) allCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "all",
		Short: "Run every part until interrupted",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := s.startAll(cmd.Context())
			if err != nil {
				return err
			}
			if err := s.printAll(cmd.OutOrStdout(), l.Addresses()); err != nil {
				return errors.Join(err, l.Close())
			}
			<-cmd.Context().Done()
			return l.Close()
		},
	}
	s.allFlags(cmd.Flags())
	return cmd
}

func (s *settings) allFlags(f *pflag.FlagSet) {
	s.namesFlags(f)
	s.nameserverFlags(f)
	s.resolverFlags(f)
	s.acmeFlags(f)
	s.rdapFlags(f)
	s.frontendFlags(f)
}

// startAll starts every part as the flags say.
func (s *settings) startAll(ctx context.Context) (*lab.Lab, error) {
	servers, err := s.providers()
	if err != nil {
		return nil, err
	}
	acme, err := s.acmeOptions()
	if err != nil {
		return nil, err
	}
	return lab.Start(ctx, lab.Options{
		Nameservers: servers,
		Names:       s.names,
		Resolver:    s.resolver,
		ACME:        acme,
		RDAP:        s.rdap,
		Frontend:    lab.FrontendOptions{Host: s.frontendHost, HTTPS: s.frontendHTTPS, HTTP: s.frontendHTTP},
		Dir:         s.dir,
		Log:         s.log(),
	})
}

func (s *settings) printAll(out io.Writer, a lab.Addresses) error {
	if s.json {
		return a.WriteJSON(out)
	}
	where := map[string]string{
		"dns": a.Names, "resolver": a.Resolver, "acme": a.Directory, "management": a.Management,
		"frontend": a.Frontend, "page": a.Plain,
	}
	for tld, base := range a.RDAP {
		where["rdap "+tld] = base
	}
	if a.CA != "" {
		where["roots"] = a.CA
	}
	return s.print(out, where)
}

func (s *settings) dnsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dns",
		Short: "Run the root and TLD name servers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, err := s.registry()
			if err != nil {
				return err
			}
			names, err := lab.StartNames(s.names, registry)
			if err != nil {
				return err
			}
			return s.serve(cmd.Context(), cmd.OutOrStdout(), map[string]string{"dns": names.Addr().String()}, names)
		},
	}
	s.namesFlags(cmd.Flags())
	s.nameserverFlags(cmd.Flags())
	return cmd
}

func (s *settings) resolverCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resolver",
		Short: "Run the recursive resolver over running name servers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := parseAddr("root", s.root)
			if err != nil {
				return err
			}
			registry, err := s.registry()
			if err != nil {
				return err
			}
			resolver, err := lab.StartResolver(lab.ResolverOptions{
				Listen: s.resolver, Root: root, Address: registry.Address,
			})
			if err != nil {
				return err
			}
			return s.serve(cmd.Context(), cmd.OutOrStdout(), map[string]string{"resolver": resolver.Addr().String()}, resolver)
		},
	}
	s.resolverFlags(cmd.Flags())
	s.nameserverFlags(cmd.Flags())
	cmd.Flags().StringVar(&s.root, "root", "127.0.0.1:15300", "a root name server")
	return cmd
}

func (s *settings) acmeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "acme",
		Short: "Run the ACME CA, which validates through a resolver",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := s.acmeOptions()
			if err != nil {
				return err
			}
			if o.Resolver, err = parseAddr("ask-resolver", s.askResolver); err != nil {
				return err
			}
			if o.Authority, err = lab.NewAuthority(time.Now()); err != nil {
				return err
			}
			ca, err := lab.StartACME(o)
			if err != nil {
				return err
			}
			where := map[string]string{"acme": ca.Directory(), "management": ca.Management()}
			roots := bytes.Join([][]byte{ca.RootsPEM(), o.Authority.PEM()}, nil)
			return s.serveWithRoots(cmd, where, roots, ca)
		},
	}
	s.acmeFlags(cmd.Flags())
	cmd.Flags().StringVar(&s.askResolver, "ask-resolver", "127.0.0.1:15353", "the resolver that validations ask")
	return cmd
}

func (s *settings) rdapCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rdap",
		Short: "Run the registries' RDAP",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, err := s.registry()
			if err != nil {
				return err
			}
			rdap, err := lab.StartRDAP(s.rdap, registry)
			if err != nil {
				return err
			}
			return s.serve(cmd.Context(), cmd.OutOrStdout(), rdap.Bases(), rdap)
		},
	}
	s.rdapFlags(cmd.Flags())
	s.nameserverFlags(cmd.Flags())
	return cmd
}

func (s *settings) frontendCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "frontend",
		Short: "Run the campaign's frontend",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			authority, err := lab.NewAuthority(time.Now())
			if err != nil {
				return err
			}
			page, err := lab.StartFrontend(lab.FrontendOptions{
				Host: s.frontendHost, HTTPS: s.frontendHTTPS, HTTP: s.frontendHTTP, Authority: authority,
			})
			if err != nil {
				return err
			}
			where := map[string]string{"frontend": page.URL(), "page": page.PlainURL()}
			return s.serveWithRoots(cmd, where, authority.PEM(), page)
		},
	}
	s.frontendFlags(cmd.Flags())
	return cmd
}

// serveWithRoots is serve for a part whose certificates want a root to trust.
func (s *settings) serveWithRoots(cmd *cobra.Command, where map[string]string, roots []byte, part io.Closer) error {
	file, err := s.writeRoots(roots)
	if err != nil {
		_ = part.Close() // the folder is the fault to tell
		return fmt.Errorf("--dir: %w", err)
	}
	if file != "" {
		where["roots"] = file
	}
	return s.serve(cmd.Context(), cmd.OutOrStdout(), where, part)
}
