package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"domherre/dnsprovider/dnstest"
)

// BenchmarkScale runs the commands of the real binary over whole portfolios:
// the first apply, a plan with nothing to do, and the apply of one changed
// domain. Each is shown beside the same requests made raw, in the same run.
// It is for Linux, whose unit of memory it knows. BENCH_HUGE=1 adds 100,000
// domains to the embedded server's, 5,000 to the others'.
func BenchmarkScale(b *testing.B) {
	sizes := []int{50, 1_000, 10_000}
	if os.Getenv("BENCH_HUGE") != "" {
		sizes = append(sizes, 100_000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("embedded/%d", n), func(b *testing.B) {
			s := newScale(b, names(n), map[string]any{"type": "embedded"}, "127.0.0.1:9")
			s.run(b, &storeFloor{dir: s.dir, names: s.names})
		})
	}
	servers := []int{50, 1_000}
	if os.Getenv("BENCH_HUGE") != "" {
		servers = append(servers, 5_000)
	}
	for _, n := range servers {
		b.Run(fmt.Sprintf("knot/%d", n), func(b *testing.B) {
			list := names(n)
			knot := dnstest.StartKnot(b, list...)
			settings := knot.Settings()
			settings["type"] = "rfc2136"
			s := newScale(b, list, settings, knot.Addr)
			s.behind(b, knot.Addr)
			s.run(b, &updateFloor{server: knot, names: list})
		})
		b.Run(fmt.Sprintf("powerdns/%d", n), func(b *testing.B) {
			list, power := names(n), dnstest.StartPowerDNS(b)
			s := newScale(b, list, map[string]any{"type": "powerdns", "server_url": power.API, "api_token": power.Token}, power.Addr)
			s.behind(b, strings.TrimPrefix(power.API, "http://"))
			s.run(b, &powerFloor{server: power, names: list})
		})
	}
}

// scale is a portfolio on disk, and a binary to work on it.
type scale struct {
	binary, dir string
	names       []string
	config      string
	relay       *relay // counts requests to the server at upstream; nil: there is none
	upstream    string
}

// floor makes the requests of a command, and nothing else.
type floor interface {
	keep(ctx context.Context) error  // notes what the zones hold, for first to write it
	empty(ctx context.Context) error // empties the zones again
	first(ctx context.Context) error // fills every zone
	same(ctx context.Context) error  // reads every zone
	one(ctx context.Context) error   // reads every zone, and changes one
}

// newScale writes a config with one provider, whose zones the name server at
// address serves, and a list of names. A domain has twelve RRsets: nine by
// default, the marker, and two of its own.
func newScale(b *testing.B, names []string, provider map[string]any, address string) *scale {
	b.Helper()
	provider["nameservers"] = []string{"ns1.dnstest.example=" + address}
	settings, err := json.Marshal(provider) // JSON is YAML
	if err != nil {
		b.Fatal(err)
	}
	s := &scale{binary: build(b), dir: b.TempDir(), names: names}
	s.config = fmt.Sprintf(`campaign: Du avgör!
frontend: https://www.duavgör.se/
domains: [first.yaml, domains.txt]
providers: {main: %s}
dns:
  addresses: [192.0.2.10]
  records:
    - {name: a, type: TXT, data: [one]}
    - {name: b, type: TXT, data: [two]}
`, settings)
	s.write(b, "domherre.yaml", s.config)
	s.write(b, "domains.txt", lines(names[1:]...))
	s.setTTL(b, 300)
	return s
}

// setTTL changes the first domain alone.
func (s *scale) setTTL(b *testing.B, seconds int) {
	b.Helper()
	s.write(b, "first.yaml", fmt.Sprintf("domains:\n  - name: %s\n    dns: {ttl: %ds}\n", s.names[0], seconds))
}

// behind has requests to the server at upstream counted. Since that takes time,
// it is done in runs of their own.
func (s *scale) behind(b *testing.B, upstream string) {
	s.relay, s.upstream = newRelay(b, upstream), upstream
}

// requests reports how many a command makes; before does what comes before it,
// by way of the relay too.
func (s *scale) requests(b *testing.B, raw int, before func(), args ...string) {
	b.Helper()
	if s.relay == nil {
		return
	}
	s.write(b, "domherre.yaml", strings.ReplaceAll(s.config, s.upstream, s.relay.address))
	before()
	start := s.relay.requests.Load()
	s.command(b, args...)
	b.ReportMetric(float64(s.relay.requests.Load()-start), "requests")
	b.ReportMetric(float64(raw), "raw-requests")
	s.write(b, "domherre.yaml", s.config)
	s.command(b, "plan") // what is remembered of the zones is of the server itself again
}

// build makes the product's binary: the test's own carries the lab too.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "domherre")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

func (s *scale) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scale) write(b *testing.B, name, text string) {
	b.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// run measures the three commands.
func (s *scale) run(b *testing.B, f floor) {
	must := func(step func(context.Context) error) {
		if err := step(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		beside(b, f.first, func() usage {
			must(f.empty)
			if err := os.RemoveAll(s.path("state")); err != nil {
				b.Fatal(err)
			}
			u := s.command(b, "apply", "--yes")
			must(f.keep)
			must(f.empty)
			return u
		})
		s.requests(b, len(s.names), func() {
			must(f.empty)
			if err := os.RemoveAll(s.path("state")); err != nil {
				b.Fatal(err)
			}
		}, "apply", "--yes")
	})
	b.Run("no-op", func(b *testing.B) {
		beside(b, f.same, func() usage { return s.command(b, "plan", "--detailed-exitcode") })
		s.requests(b, len(s.names), func() { s.command(b, "plan") }, "plan", "--detailed-exitcode")
	})
	b.Run("one", func(b *testing.B) {
		ttl := 300
		beside(b, f.one, func() usage {
			ttl++
			s.setTTL(b, ttl)
			return s.command(b, "apply", "--yes")
		})
		s.requests(b, len(s.names)+1, func() {
			s.command(b, "plan")
			s.setTTL(b, ttl+1)
		}, "apply", "--yes")
	})
}

// beside measures the command and the floor by turns, since the machine's load
// changes, and reports both and their ratio.
func beside(b *testing.B, raw func(context.Context) error, command func() usage) {
	var total, least usage
	for b.Loop() {
		total.add(command())
		least.add(measured(b, raw))
	}
	n := time.Duration(b.N)
	b.ReportMetric(0, "ns/op") // of both together, so of no use
	b.ReportMetric(milliseconds(total.wall/n), "wall-ms")
	b.ReportMetric(milliseconds(total.cpu/n), "cpu-ms")
	b.ReportMetric(float64(total.memory)/(1<<20), "peak-MiB")
	b.ReportMetric(milliseconds(least.wall/n), "raw-wall-ms")
	b.ReportMetric(milliseconds(least.cpu/n), "raw-cpu-ms")
	b.ReportMetric(total.wall.Seconds()/least.wall.Seconds(), "wall/raw")
	b.ReportMetric(total.cpu.Seconds()/least.cpu.Seconds(), "cpu/raw")
}

// usage is what something cost.
type usage struct {
	wall, cpu time.Duration
	memory    int64 // octets at the peak
}

func (u *usage) add(v usage) {
	u.wall += v.wall
	u.cpu += v.cpu
	u.memory = max(u.memory, v.memory)
}

func measured(b *testing.B, do func(context.Context) error) usage {
	b.Helper()
	runtime.GC()
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := do(b.Context()); err != nil {
		b.Fatal(err)
	}
	wall := time.Since(began)
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	return usage{wall: wall, cpu: cpuTime(after) - cpuTime(before)}
}

func cpuTime(r syscall.Rusage) time.Duration {
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// command runs the binary under the measure program: a child's peak counts
// that of its parent before exec, so the parent has to be small.
func (s *scale) command(b *testing.B, args ...string) usage {
	b.Helper()
	var report, errs bytes.Buffer
	cmd := exec.CommandContext(b.Context(), "measure", append([]string{s.binary}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &report, &errs
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v\n%.4000s", args, err, errs.String())
	}
	var m measurement
	if err := json.Unmarshal(report.Bytes(), &m); err != nil {
		b.Fatal(err)
	}
	return usage{wall: m.Wall, cpu: m.CPU, memory: m.Memory}
}

// measurement is what the measure program prints.
type measurement struct {
	Wall, CPU time.Duration
	Memory    int64
}

// measure runs a command and prints what it cost in place of what it says.
func measure() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	err := cmd.Run()
	m := measurement{Wall: time.Since(began)}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	m.CPU, m.Memory = cpuTime(*r), r.Maxrss<<10
	if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
		os.Exit(1)
	}
}
