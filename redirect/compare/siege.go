package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// siege measures what honest visitors notice while each assault goes on.
func (s *site) siege(k kind, only string) error {
	s.also = []string{"http3"}
	fmt.Printf("\n| attack on %s | attackers | honest p50 | p99 | server MB | after it |\n|---|---|---|---|---|---|\n", k.name)
	for _, a := range assaults {
		if only != "" && a.name != only {
			continue
		}
		p, err := s.startOn(k, "0,1")
		if err != nil {
			return err
		}
		err = p.besiege(a)
		p.stop()
		if err != nil {
			return err
		}
	}
	return s.holdAll(only)
}

// besiege has an assault begin, and a visitor come meanwhile and afterwards.
func (p *process) besiege(a assault) error {
	withdraw, err := p.assail(a)
	if err != nil {
		return err
	}
	most := p.watched()
	time.Sleep(2*time.Second + 3*apart/2*time.Duration(a.attackers)) // for the attack to unfold
	v := honest(a.name, p.answers)
	withdraw()
	used := most()
	time.Sleep(time.Second)
	if err := p.answers(); err != nil {
		return fmt.Errorf("%s: no recovery: %w", a.name, err)
	}
	fmt.Printf("| %s | %d | %.1f ms | %.1f ms | %d | %.0f MB, %d of %d failed |\n", a.name, a.processes*a.attackers,
		ms(v.took[len(v.took)/2]), ms(v.took[len(v.took)*99/100]), used, p.resident(), v.failed, len(v.took))
	return nil
}

// assail starts the attackers, and gives what stops them.
func (p *process) assail(a assault) (withdraw func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []*exec.Cmd
	withdraw = func() {
		for _, attacker := range all {
			_ = attacker.Process.Kill()
			_ = attacker.Wait() // it was killed
		}
	}
	for i := range a.processes {
		// Attackers bring processors of their own; here they have those that the
		// server leaves them.
		attacker := exec.Command("nice", "-n", "19", self, "attack", a.name, p.plain, p.secure, p.hosts[0], source(i))
		attacker.Stderr = os.Stderr
		if err := attacker.Start(); err != nil {
			withdraw()
			return nil, err
		}
		all = append(all, attacker)
	}
	return withdraw, nil
}

// watched looks at the server's memory until it is asked for the most, in MB.
func (p *process) watched() (most func() int64) {
	var max64 atomic.Int64
	stop := make(chan struct{})
	var look sync.WaitGroup
	look.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				max64.Store(max(max64.Load(), int64(p.resident())))
			}
		}
	})
	return func() int64 {
		close(stop)
		look.Wait()
		return max64.Load()
	}
}

// visits is what an honest visitor met with, sorted.
type visits struct {
	took   []time.Duration
	failed int
}

// honest comes again and again for a while.
func honest(during string, answers func() error) visits {
	var v visits
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		begun := time.Now()
		if err := answers(); err != nil {
			v.failed++
			log.Printf("%s: an honest visitor failed: %v", during, err)
		}
		v.took = append(v.took, time.Since(begun))
	}
	slices.Sort(v.took)
	return v
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
