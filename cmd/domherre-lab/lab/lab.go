package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Options sets up a whole lab. Every address may have port 0; the zero
// Options, with ports for the product, is a usable lab on free ports.
type Options struct {
	Nameservers []Nameserver // of the provider: every name is delegated to them

	Names    string          // listen address of the root and TLD servers
	Resolver string          // of the recursive resolver
	ACME     ACMEOptions     // Resolver, Authority and Log are filled in
	RDAP     string          // of the registries' RDAP
	Frontend FrontendOptions // Authority is filled in

	Dir string // where lab.json and lab-ca.pem are written; "" writes neither
	Log *slog.Logger
	Now func() time.Time
}

// Addresses tells where each part listens. Its JSON is lab.json.
type Addresses struct {
	Names      string            `json:"names"`      // root and TLD name servers
	Resolver   string            `json:"resolver"`   // recursive resolver
	Directory  string            `json:"directory"`  // ACME directory URL
	Management string            `json:"management"` // Pebble's management endpoints
	RDAP       map[string]string `json:"rdap"`       // base URL of each TLD
	Frontend   string            `json:"frontend"`   // by name
	Plain      string            `json:"plain"`      // the same page by number and HTTP
	CA         string            `json:"ca"`         // file with all roots; "" where none was written
}

// Lab is a running closed internet.
type Lab struct {
	*Registry // takes the orders about names

	names     *Names
	resolver  *Resolver
	acme      *ACME
	rdap      *RDAP
	frontend  *Frontend
	authority *Authority
	caFile    string
	closing   sync.Once
}

var _ Faults = (*Lab)(nil)

// Faults are the orders that a running lab takes. *Lab carries them out.
type Faults interface {
	Register(name string) error
	Unregister(name string) error
	Delegate(name string, servers ...Nameserver) error
	SetDS(name string, ds ...*dns.DS) error
	Hold(name string) error
	SetStatus(name string, status ...string) error
	SetExpires(name string, at time.Time) error
	RefuseRDAP(seconds int)
}

// Start starts every part and waits until each answers. The lab runs until
// Close, whatever becomes of ctx afterwards.
func Start(ctx context.Context, o Options) (*Lab, error) {
	o.setDefaults()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &Lab{}
	if err := l.start(o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if o.Dir != "" {
		if err := l.write(o.Dir); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

func (o *Options) setDefaults() {
	const free = "127.0.0.1:0"
	for _, listen := range []*string{
		&o.Names, &o.Resolver, &o.RDAP, &o.ACME.Listen, &o.ACME.Management, &o.Frontend.HTTPS, &o.Frontend.HTTP,
	} {
		if *listen == "" {
			*listen = free
		}
	}
	if o.Frontend.Host == "" {
		o.Frontend.Host = "www.duavgör.se"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func (l *Lab) start(o Options) error {
	var err error
	if l.authority, err = NewAuthority(o.Now()); err != nil {
		return err
	}
	if l.Registry, err = NewRegistry(o.Nameservers, o.Now()); err != nil {
		return err
	}
	if l.names, err = StartNames(o.Names, l.Registry); err != nil {
		return err
	}
	l.resolver, err = StartResolver(ResolverOptions{
		Listen: o.Resolver, Root: l.names.Addr(), Address: l.Registry.Address,
	})
	if err != nil {
		return err
	}
	o.ACME.Resolver, o.ACME.Authority, o.ACME.Log = l.resolver.Addr(), l.authority, o.Log
	if l.acme, err = StartACME(o.ACME); err != nil {
		return err
	}
	if l.rdap, err = StartRDAP(o.RDAP, l.Registry); err != nil {
		return err
	}
	o.Frontend.Authority = l.authority
	l.frontend, err = StartFrontend(o.Frontend)
	return err
}

// Close stops all parts, the last started first. Closing again does nothing.
func (l *Lab) Close() error {
	var err error
	l.closing.Do(func() { err = l.close() })
	return err
}

func (l *Lab) close() error {
	var errs []error
	if l.frontend != nil {
		errs = append(errs, l.frontend.Close())
	}
	if l.rdap != nil {
		errs = append(errs, l.rdap.Close())
	}
	if l.acme != nil {
		errs = append(errs, l.acme.Close())
	}
	if l.resolver != nil {
		errs = append(errs, l.resolver.Close())
	}
	if l.names != nil {
		errs = append(errs, l.names.Close())
	}
	return errors.Join(errs...)
}

// Addresses tells where each part listens.
func (l *Lab) Addresses() Addresses {
	return Addresses{
		Names:      l.names.Addr().String(),
		Resolver:   l.resolver.Addr().String(),
		Directory:  l.acme.Directory(),
		Management: l.acme.Management(),
		RDAP:       l.rdap.Bases(),
		Frontend:   l.frontend.URL(),
		Plain:      l.frontend.PlainURL(),
		CA:         l.caFile,
	}
}

// RootsPEM gives every root to trust in the lab: Pebble's issuing roots, and
// the root of the lab's own servers.
func (l *Lab) RootsPEM() []byte {
	return bytes.Join([][]byte{l.acme.RootsPEM(), l.authority.PEM()}, nil)
}

// write leaves lab-ca.pem and lab.json in a folder, the latter last: who waits
// for it finds everything running.
func (l *Lab) write(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("lab's folder: %w", err)
	}
	l.caFile = filepath.Join(dir, "lab-ca.pem")
	if err := os.WriteFile(l.caFile, l.RootsPEM(), 0o644); err != nil {
		return fmt.Errorf("lab's folder: %w", err)
	}
	var doc bytes.Buffer
	if err := l.Addresses().WriteJSON(&doc); err != nil {
		return err
	}
	// Renamed into place, so that a reader never sees half of it.
	temp := filepath.Join(dir, ".lab.json.new")
	if err := os.WriteFile(temp, doc.Bytes(), 0o644); err != nil {
		return fmt.Errorf("lab's folder: %w", err)
	}
	return os.Rename(temp, filepath.Join(dir, "lab.json"))
}

// WriteJSON writes the addresses as lab.json has them.
func (a Addresses) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(a)
}

// RefuseRDAP answers every RDAP look-up with 429 until called with 0.
func (l *Lab) RefuseRDAP(seconds int) { l.rdap.Refuse(seconds) }
