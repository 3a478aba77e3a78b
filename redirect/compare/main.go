// Command compare measures the redirector beside other servers: the same hosts
// and certificates, in turns, each server alone on core 0 and the loader on the
// others. What decides is CPU time per request, since they share a machine.
//
//	compare [-hosts 1000] [-rounds 3] [-for 2s] [-many 10000] [-caddy PATH] [-siege]
//
// What can't be had on this machine is named and left out.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"
)

type options struct {
	hosts, many, rounds int
	per                 time.Duration
	caddy, only         string
	siege               bool
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			serve(os.Args[2:])
			return
		case "shake":
			shake(os.Args[2:])
			return
		case "attack":
			attack(os.Args[2:])
			return
		case "hold":
			hold(os.Args[2:])
			return
		}
	}
	var o options
	flag.IntVar(&o.hosts, "hosts", 1000, "hosts of the comparison of speed")
	flag.IntVar(&o.many, "many", 10000, "hosts of the comparison of memory; 0 leaves it out")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds, of which the quietest is told")
	flag.DurationVar(&o.per, "for", 2*time.Second, "how long each server is loaded in a round")
	flag.StringVar(&o.caddy, "caddy", "caddy", "the program caddy")
	flag.StringVar(&o.only, "only", "", "one kind of load, or of attack")
	flag.BoolVar(&o.siege, "siege", false, "measure attacks alone")
	flag.Parse()
	if runtime.NumCPU() < 2 {
		log.Fatal("compare: needs two cores: one for the server, one for the loader")
	}
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := run(dir, o); err != nil {
		log.Print(err)
		defer os.Exit(1)
	}
}

func run(dir string, o options) error {
	s, err := newSite(dir+"/speed", o.hosts)
	if err != nil {
		return err
	}
	kinds := servers(o.caddy)
	if o.siege {
		return s.siege(kinds[0], o.only)
	}
	if err := s.speed(kinds, o); err != nil {
		return err
	}
	if o.many == 0 || o.only != "" {
		return nil
	}
	m, err := newSite(dir+"/many", o.many)
	if err != nil {
		return err
	}
	return m.memory(kinds)
}

// speed puts every kind of load on every server, in turns.
func (s *site) speed(kinds []kind, o options) error {
	results := map[string][]result{}
	for round := range o.rounds {
		for _, k := range kinds {
			p, err := s.start(k)
			if err != nil {
				return err
			}
			for _, l := range loads {
				if o.only != "" && l.name != o.only || !l.fits(k) {
					continue
				}
				r, err := p.measure(l, o.per)
				if err != nil {
					p.stop()
					return fmt.Errorf("%s, %s: %w", k.name, l.name, err)
				}
				key := l.name + "/" + k.name
				results[key] = append(results[key], r)
				log.Printf("round %d: %-20s %-10s %8.0f/s %8.2f µs CPU", round+1, l.name, k.name, r.rate, r.cpu)
			}
			p.stop()
		}
	}
	table(kinds, results)
	return nil
}

// memory starts every server with many hosts, and changes them.
func (s *site) memory(kinds []kind) error {
	fmt.Printf("\n| %d hosts, a certificate each | idle MB | ms to the first answer |\n|---|---|---|\n", len(s.hosts))
	for _, k := range kinds {
		if k.name == "bare" {
			continue // it has one
		}
		p, err := s.start(k)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f | %.0f |\n", k.name, p.resident(), float64(p.took.Microseconds())/1000)
		p.stop()
	}
	changes(len(s.hosts))
	return nil
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		log.Fatal(err)
	}
	return n
}
