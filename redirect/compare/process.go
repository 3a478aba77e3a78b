package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that runs.
type process struct {
	*site
	cmd  *exec.Cmd
	took time.Duration // until it answered
	said bytes.Buffer
}

// start starts a server on core 0 and waits for its first answer, over TLS.
func (s *site) start(k kind) (*process, error) { return s.startOn(k, "0") }

func (s *site) startOn(k kind, cores string) (*process, error) {
	command, err := k.command(s)
	if err != nil {
		return nil, err
	}
	p := &process{site: s, cmd: exec.Command("taskset", append([]string{"-c", cores}, command...)...)}
	p.cmd.Stderr = &p.said
	begun := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(begun) < 60*time.Second {
		if err = s.answers(); err == nil {
			p.took = time.Since(begun)
			return p, nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s doesn't answer: %w\n%s", k.name, err, p.said.String())
}

// answers asks once, as a visitor would.
func (s *site) answers() error {
	last := s.hosts[len(s.hosts)-1]
	c := &http.Client{
		Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", s.secure)
			},
		},
	}
	resp, err := c.Get("https://" + last + "/")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != target {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// cpu is the time that the server's threads have spent computing. (The times in
// /proc/PID/stat come in steps of 10 ms, as much as a thousand requests.)
func (p *process) cpu() (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		return 0, errors.Join(err, errors.New("this kernel has no /proc/PID/task/TID/schedstat"))
	}
	var sum time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		}
		ns, _, _ := strings.Cut(string(text), " ")
		n, parseErr := strconv.ParseInt(ns, 10, 64)
		if err := errors.Join(err, parseErr); err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// resident is the memory of the server, in MB.
func (p *process) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return float64(atoi(strings.Fields(rest)[0])) / 1024
		}
	}
	return 0
}
