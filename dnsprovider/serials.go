package dnsprovider

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"domherre/dnsprovider/dnsclient"
	"domherre/dnsprovider/seen"
	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// serials knows zones by the serials that a name server tells of them. A serial
// is asked for before the zone is read: whatever is changed from then on raises
// it, however late the name server learns of that. The nil serials knows nothing.
type serials struct {
	memory *seen.Memory
	server string
	client dnsclient.Client
}

// serialsOf gives what a provider has of it.
func serialsOf(impl any, cfg Config, d Deps) *serials {
	s, ok := impl.(zoneio.Serialed)
	if !ok || s.SerialServer() == "" {
		return nil
	}
	server := s.SerialServer()
	return &serials{memory: memory(cfg, d, server), server: server, client: dnsclient.Client{Tries: 2, Timeout: time.Second}}
}

// ask gives a zone's serial, and whether the server tells one.
func (s *serials) ask(ctx context.Context, name portfolio.Name) (serial uint32, ok bool) {
	if s == nil {
		return 0, false
	}
	answer, err := s.client.Exchange(ctx, s.server, dnsclient.Question(name.FQDN(), dns.TypeSOA, false))
	if err != nil || !answer.Authoritative || len(answer.Answer) == 0 {
		return 0, false
	}
	soa, ok := answer.Answer[0].(*dns.SOA)
	if !ok {
		return 0, false
	}
	return soa.Serial, true
}

// read gives the zone as it was read last where its serial still stands, else
// as reading gives it.
func (s *serials) read(ctx context.Context, name portfolio.Name, reading func() (portfolio.Zone, error)) (portfolio.Zone, error) {
	serial, told := s.ask(ctx, name)
	if !told {
		return reading()
	}
	if last, ok := s.memory.Get(ctx, name); ok && last.Serial == serial {
		return last, nil
	}
	z, err := reading()
	if err != nil || z.Missing {
		s.memory.Forget(ctx, name)
		return z, err
	}
	remembered := z
	remembered.Serial = serial
	s.memory.Put(ctx, remembered)
	return z, nil
}

// forget makes the next read a whole one.
func (s *serials) forget(name portfolio.Name) {
	if s != nil {
		s.memory.Forget(context.Background(), name)
	}
}

func (s *serials) save(ctx context.Context) error {
	if s == nil {
		return nil
	}
	return s.memory.Save(ctx)
}
