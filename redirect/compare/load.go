package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// load is one kind of visitors.
type load struct {
	name  string
	http2 bool
	run   func(*process, time.Duration) (answered int, p50, p99 string, err error)
}

func (l load) fits(k kind) bool { return !l.http2 || k.http2 }

var loads = []load{
	{"plain, kept", false, wrk},
	{"TLS HTTP/1.1, kept", false, h2load("--h1", "-c", "32")},
	{"HTTP/2, kept", true, h2load("-c", "8", "-m", "16")},
	{"TLS 1.3, full", false, shakes("full")},
	{"TLS 1.3, resumed", false, shakes("resumed")},
}

type result struct {
	rate     float64 // requests a second
	cpu      float64 // microseconds a request
	p50, p99 string
}

func (p *process) measure(l load, per time.Duration) (result, error) {
	before, err := p.cpu()
	if err != nil {
		return result{}, err
	}
	begun := time.Now()
	n, p50, p99, err := l.run(p, per)
	if err != nil {
		return result{}, err
	}
	took := time.Since(begun)
	after, err := p.cpu()
	if err != nil || n == 0 {
		return result{}, errors.Join(err, fmt.Errorf("%d answers", n))
	}
	return result{rate: float64(n) / took.Seconds(), cpu: float64((after - before).Microseconds()) / float64(n), p50: p50, p99: p99}, nil
}

// onLoaderCore runs a loader beside the server.
func onLoaderCore(args ...string) (string, error) {
	out, err := exec.Command("taskset", append([]string{"-c", "1"}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", args[0], err, out)
	}
	return string(out), nil
}

var (
	wrkCount    = regexp.MustCompile(`(\d+) requests in`)
	wrkErrors   = regexp.MustCompile(`Non-2xx or 3xx responses|connect [1-9]|read [1-9]|write [1-9]`) // a timeout is this machine's
	wrkPart     = regexp.MustCompile(`(50|99)%\s+(\S+)`)
	h2loadCount = regexp.MustCompile(`(\d+) succeeded, (\d+) failed`)
)

func wrk(p *process, per time.Duration) (int, string, string, error) {
	out, err := onLoaderCore("wrk", "-t1", "-c64", "-d"+per.String(), "--latency", "-s", filepath.Join(p.dir, "wrk.lua"), "http://"+p.plain)
	if err != nil {
		return 0, "", "", err
	}
	m := wrkCount.FindStringSubmatch(out)
	if m == nil || wrkErrors.MatchString(out) {
		return 0, "", "", fmt.Errorf("wrk says %s", out)
	}
	parts := wrkPart.FindAllStringSubmatch(out, 2)
	if len(parts) != 2 {
		return 0, "", "", fmt.Errorf("wrk says %s", out)
	}
	n, err := strconv.Atoi(m[1])
	return n, parts[0][2], parts[1][2], err
}

func h2load(args ...string) func(*process, time.Duration) (int, string, string, error) {
	return func(p *process, per time.Duration) (int, string, string, error) {
		all := append([]string{"h2load", "-t1", "-D", strconv.Itoa(int(max(per.Seconds(), 1))), "--connect-to=" + p.secure}, args...)
		out, err := onLoaderCore(append(all, "https://"+p.hosts[0]+":"+port(p.secure)+"/")...)
		if err != nil {
			return 0, "", "", err
		}
		m := h2loadCount.FindStringSubmatch(out)
		if m == nil || m[1] == "0" {
			return 0, "", "", fmt.Errorf("h2load says %s", out)
		}
		n, err := strconv.Atoi(m[1])
		return n, "", "", err
	}
}

// shakes is this program as a client that makes a connection for each request.
func shakes(how string) func(*process, time.Duration) (int, string, string, error) {
	return func(p *process, per time.Duration) (int, string, string, error) {
		self, err := os.Executable()
		if err != nil {
			return 0, "", "", err
		}
		out, err := onLoaderCore(self, "shake", how, p.secure, p.hosts[0], per.String())
		if err != nil {
			return 0, "", "", err
		}
		var n int
		var p50, p99 string
		_, err = fmt.Sscan(out, &n, &p50, &p99)
		return n, p50, p99, err
	}
}
