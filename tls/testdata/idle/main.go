// Command idle is what BenchmarkStart measures: a process with nothing in it but
// the certificates of a state.
//
//	idle LOCATION CACHE COUNT ROOTS DIRECTORY
//
// LOCATION and CACHE are as in state: and state_cache:, ROOTS is a PEM file, and
// DIRECTORY the URL of the CA that issued. It prints a line when a browser that
// trusts ROOTS has made the first handshake; then the milliseconds until all
// certificates were loaded; then the KiB of memory in use, and how many of them
// are its own and not pages of its program's file. It ends with its input.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"domherre/state"
	certs "domherre/tls"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(location, cache, count, roots, directory string) error {
	began, log := time.Now(), slog.New(slog.DiscardHandler)
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	store, err := state.OpenDegraded(context.Background(), location, log, state.WithCache(cache))
	if err != nil {
		return err
	}
	m, err := certs.New(certs.Options{Storage: store, Log: log, Issuers: []certs.Issuer{{ACME: directory}}})
	if err != nil {
		return err
	}
	var subjects []certs.Subject
	for i := range n {
		d := fmt.Sprintf("domain%d.example", i)
		subjects = append(subjects, certs.Subject{Domain: d, Names: []string{d, "www." + d}})
	}
	m.Manage(subjects)
	go m.Run(context.Background())
	if err := shakeHands(m, fmt.Sprintf("www.domain%d.example", n-1), roots); err != nil {
		return err
	}
	fmt.Println("handshake")
	<-m.Loaded()
	fmt.Println(time.Since(began).Milliseconds())
	settle()
	fmt.Println(statusKB("VmRSS:"))
	fmt.Println(statusKB("RssAnon:"))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// settle waits until the memory in use stays what it is.
func settle() {
	for before := 0; ; {
		debug.FreeOSMemory()
		now := statusKB("RssAnon:")
		if now >= before-before/200 && now <= before+before/200 {
			return
		}
		before = now
		time.Sleep(500 * time.Millisecond)
	}
}

// shakeHands connects as a browser that trusts roots.
func shakeHands(m *certs.Manager, host, roots string) error {
	pem, err := os.ReadFile(roots)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	go tls.Server(ours, m.ServerConfig()).Handshake()
	return tls.Client(theirs, &tls.Config{ServerName: host, RootCAs: pool}).Handshake()
}

// statusKB gives a figure of /proc/self/status, 0 where there is none.
func statusKB(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), name)
	kb, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return kb
}
