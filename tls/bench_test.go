package tls

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"domherre/state"
)

// The figures of docs/performance.md, section Certificates: a process of its
// own, with nothing in it but a Manager over a state in files.

// stocked makes a state with a certificate for each of n domains, with an
// intermediate as public CAs have.
func stocked(tb testing.TB, n int) (dir string) {
	tb.Helper()
	f, store := newFakeCA(tb), newMemory()
	f.bulk = 600 // what Let's Encrypt's have: some 1,000 octets
	f.above = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.cert.Raw})
	m := f.over(tb, store, false)
	m.Manage(fleet(n))
	if _, err := m.Renew(tb.Context(), Errand{}); err != nil {
		tb.Fatal(err)
	}
	dir = tb.TempDir()
	for folder, values := range store.data {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			tb.Fatal(err)
		}
		for key, value := range values {
			if err := os.WriteFile(filepath.Join(dir, key), value, 0o600); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), f.above, 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// MeasureStart is what the process of its own does: it prints a line when it
// has made the first handshake, then what it took to load all, then the memory
// in use.
func MeasureStart(dir string, n int) {
	began := time.Now()
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	store, err := state.Open(context.Background(), dir, slog.New(slog.DiscardHandler))
	check(err)
	m, err := New(Options{Storage: store, Log: slog.New(slog.DiscardHandler)})
	check(err)
	m.issuers = []*issuer{{key: "fake", name: "fake CA", ca: &fakeCA{}}}
	m.Manage(fleet(n))
	go m.Run(context.Background())
	root, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	check(err)
	check(shakeHands(m, fmt.Sprintf("www.domain%d.example", n-1), root))
	fmt.Println("handshake")
	<-m.Loaded()
	fmt.Println(time.Since(began).Milliseconds())
	debug.FreeOSMemory()
	fmt.Println(residentKB())
	runtime.KeepAlive(m)
}

// shakeHands connects as a browser that trusts root.
func shakeHands(m *Manager, host string, root []byte) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	go tls.Server(ours, m.ServerConfig()).Handshake()
	return tls.Client(theirs, &tls.Config{ServerName: host, RootCAs: pool}).Handshake()
}

func residentKB() int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return kb
}

// measureProcess runs MeasureStart: milliseconds from exec to the first verified
// handshake, milliseconds until all is loaded, KiB in use then.
func measureProcess(b *testing.B, dir string, n int) (figures [3]float64) {
	c := exec.Command(os.Args[0])
	// Without the memory profile, which only test binaries keep.
	c.Env = append(os.Environ(), "GODEBUG=memprofilerate=0", fmt.Sprintf("DOMHERRE_MEASURE_START=%s,%d", dir, n))
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	c.Stderr = os.Stderr
	began := time.Now()
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	figures[0] = float64(time.Since(began).Microseconds()) / 1000
	for i := range figures[1:] {
		lines.Scan()
		if figures[i+1], err = strconv.ParseFloat(lines.Text(), 64); err != nil {
			b.Fatal(err)
		}
	}
	if err := c.Wait(); err != nil {
		b.Fatal(err)
	}
	return figures
}

// BenchmarkStart gives the best of its runs: the time to the first verified
// handshake, the time until all certificates are loaded, and the memory of the
// idle process (Linux only).
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{50, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := stocked(b, n)
			best := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
			for b.Loop() {
				for i, figure := range measureProcess(b, dir, n) {
					best[i] = min(best[i], figure)
				}
			}
			b.ReportMetric(best[0], "ms-to-handshake")
			b.ReportMetric(best[1], "ms-to-all")
			b.ReportMetric(best[2]/1024, "MB-idle")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// hanging is a store that answers nothing while it hangs.
type hanging struct {
	*memory
	mu sync.Mutex
}

func (h *hanging) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.memory.List(ctx, prefix, recursive)
}

func (h *hanging) Load(ctx context.Context, key string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.memory.Load(ctx, key)
}

// BenchmarkLookup is what a handshake pays for its certificate among 10,000,
// and what it pays while the store hangs and a Reload waits for it.
func BenchmarkLookup(b *testing.B) {
	f, store := newFakeCA(b), &hanging{memory: newMemory()}
	m := f.over(b, store, false)
	m.Manage(fleet(10_000))
	if _, err := m.Renew(b.Context(), Errand{}); err != nil {
		b.Fatal(err)
	}
	get := m.ServerConfig().GetCertificate
	look := func(b *testing.B) {
		var slowest time.Duration
		for i := 0; b.Loop(); i++ {
			began := time.Now()
			c, err := get(&tls.ClientHelloInfo{ServerName: fmt.Sprintf("www.domain%d.example", i%10_000)})
			slowest = max(slowest, time.Since(began))
			if c == nil || err != nil {
				b.Fatal("no certificate: ", err)
			}
		}
		b.ReportMetric(float64(slowest.Microseconds()), "µs-slowest")
	}
	b.Run("store answers", look)
	store.mu.Lock()
	waits := make(chan error)
	go func() { waits <- m.Reload(context.Background()) }()
	b.Run("store hangs", look)
	store.mu.Unlock()
	if err := <-waits; err != nil {
		b.Fatal(err)
	}
}
