// Package demo runs the product on an example portfolio inside the lab, shows
// how the domains go live, and leaves everything running to be played with.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Options say what to run and where.
type Options struct {
	Domherre string // the product's binary
	Example  string // folder of the example portfolio
	Dir      string // where it is copied to, with its state; emptied first
	Admin    string // address of the example's admin listener
	Once     bool   // end when all domains are live
	Timeout  time.Duration
	Out      io.Writer
	Terminal bool // Out may be written over
}

// Prepare empties the folder and copies the example into it.
func (o Options) Prepare() error {
	if err := os.RemoveAll(o.Dir); err != nil {
		return err
	}
	return os.CopyFS(o.Dir, os.DirFS(o.Example))
}

// Run starts the daemon on the prepared folder, in a lab that runs already,
// and waits until all domains are live. With Once it ends then; else when ctx
// does.
func (o Options) Run(ctx context.Context) error {
	began := time.Now()
	daemon, err := o.start(ctx)
	if err != nil {
		return err
	}
	defer daemon.stop()
	fmt.Fprintf(o.Out, "domherre runs on %s; its log is %s\n", o.config(), daemon.log)

	last, err := o.follow(ctx, daemon)
	if err != nil {
		return errors.Join(err, o.reasons(last, daemon))
	}
	took := time.Since(began).Round(100 * time.Millisecond)
	if err := o.showStatus(ctx); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "\nAll %d domains went live in %s.\n", len(last.Domains), took)
	if o.Once {
		return nil
	}
	o.invite()
	select {
	case <-ctx.Done():
		return nil
	case err := <-daemon.ended:
		return fmt.Errorf("the daemon ended by itself: %w", err)
	}
}

func (o Options) config() string { return filepath.Join(o.Dir, "domherre.yaml") }

// process is the running daemon.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan error
}

func (o Options) start(ctx context.Context) (*process, error) {
	p := &process{log: filepath.Join(o.Dir, "domherre.log"), ended: make(chan error, 1)}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), o.Domherre, "run", "-c", o.config())
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A Ctrl-C is for us alone: we stop the daemon when we are done with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Domherre, err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

func (p *process) stop() {
	const patience = 30 * time.Second
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil {
		return // ended already
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
	}
}

// status is what is read of the daemon's report.
type status struct {
	Domains []struct {
		Domain string `json:"domain"`
		Live   bool   `json:"live"`
		Checks []struct {
			Check   string `json:"check"`
			State   string `json:"state"`
			Finding string `json:"finding"`
			Advice  string `json:"advice"`
		} `json:"checks"`
	} `json:"domains"`
}

func (s status) live() int {
	n := 0
	for _, d := range s.Domains {
		if d.Live {
			n++
		}
	}
	return n
}

// passed counts the domains that pass one check.
func (s status) passed(check string) int {
	n := 0
	for _, d := range s.Domains {
		for _, c := range d.Checks {
			if c.Check == check && c.State == "ok" {
				n++
			}
		}
	}
	return n
}

// follow shows the progress until all domains are live.
func (o Options) follow(ctx context.Context, daemon *process) (last status, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("not all domains are live after %s", o.Timeout))
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	shown := ""
	for {
		select {
		case <-ctx.Done():
			return last, context.Cause(ctx)
		case err := <-daemon.ended:
			daemon.ended <- err
			return last, fmt.Errorf("the daemon ended: %w", err)
		case <-tick.C:
		}
		if now, err := o.ask(ctx); err == nil {
			last = now
		}
		line := fmt.Sprintf("records %2d  certificates %2d  redirects %2d  live %2d of %d",
			last.passed("records"), last.passed("certificate"), last.passed("redirect"), last.live(), len(last.Domains))
		if line != shown && len(last.Domains) > 0 {
			o.progress(line)
			shown = line
		}
		if n := len(last.Domains); n > 0 && last.live() == n {
			if o.Terminal {
				fmt.Fprintln(o.Out)
			}
			return last, nil
		}
	}
}

func (o Options) progress(line string) {
	if o.Terminal {
		fmt.Fprintf(o.Out, "\r\x1b[K%s", line)
	} else {
		fmt.Fprintln(o.Out, line)
	}
}

func (o Options) ask(ctx context.Context) (s status, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.Admin+"/api/v1/status", nil)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// reasons tells why domains aren't live: what their checks found, and the end
// of the daemon's log.
func (o Options) reasons(s status, daemon *process) error {
	var errs []error
	for _, d := range s.Domains {
		if d.Live {
			continue
		}
		for _, c := range d.Checks {
			if c.State != "ok" && c.State != "unknown" {
				errs = append(errs, fmt.Errorf("%s: %s %s: %s %s", d.Domain, c.Check, c.State, c.Finding, c.Advice))
			}
		}
	}
	const lines = 15
	if text, err := os.ReadFile(daemon.log); err == nil {
		all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		errs = append(errs, fmt.Errorf("the end of %s:\n%s", daemon.log, strings.Join(all[max(0, len(all)-lines):], "\n")))
	}
	return errors.Join(errs...)
}

func (o Options) showStatus(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, o.Domherre, "status", "-c", o.config())
	cmd.Stdout, cmd.Stderr = o.Out, o.Out
	return cmd.Run()
}

func (o Options) invite() {
	fmt.Fprintf(o.Out, `
Three things to try, in another terminal:

  curl -i --cacert %[1]s/lab/lab-ca.pem --connect-to ::127.0.0.1:18443 https://www.kopasex.se/
  echo 'köpa-mer.example' >> %[1]s/fler.txt && sleep 3 && %[2]s status -c %[1]s/domherre.yaml köpa-mer.example
  curl -s http://%[3]s/metrics | grep domain_live

The status page is http://%[3]s/. Ctrl-C ends it all.
`, o.Dir, o.Domherre, o.Admin)
}
