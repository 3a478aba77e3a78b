package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"sync"

	"domherre/redirect"
)

// serve is one of our own servers: WHICH PLAIN SECURE CERTS HOSTS [HTTP3].
func serve(args []string) {
	hosts := names(atoi(args[4]))
	plain, secure := listen(args[1]), listen(args[2])
	table, cfg := serves(args[3:])
	switch args[0] {
	case "domherre":
		hits := redirect.NewHits("")
		hits.Domains(hosts)
		s := redirect.NewServer(table, redirect.Options{TLS: cfg, Visited: hits.Visited})
		go func() { log.Fatal(s.ServeHTTP(plain)) }()
		if len(args) > 5 {
			go func() { log.Fatal(s.ServeHTTP3(packets(args[2]))) }()
		}
		log.Fatal(s.ServeHTTPS(secure))
	case "net/http":
		s := &http.Server{Handler: byHost(hosts), TLSConfig: cfg, ErrorLog: log.New(io.Discard, "", 0)}
		go func() { log.Fatal(s.Serve(plain)) }()
		log.Fatal(s.ServeTLS(secure, "", ""))
	case "bare":
		cfg.NextProtos = []string{"http/1.1"}
		go loop(plain)
		loop(tls.NewListener(secure, cfg))
	}
}

func names(n int) []string {
	hosts := make([]string, n)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("host-%d.example", i)
	}
	return hosts
}

// serves gives what our servers serve: CERTS HOSTS.
func serves(args []string) (*redirect.Table, *tls.Config) {
	var sites []redirect.Site
	for _, h := range names(atoi(args[1])) {
		sites = append(sites, redirect.Site{Domain: h, Hosts: []string{h}, Target: target})
	}
	table, err := redirect.NewTable(sites)
	if err != nil {
		log.Fatal(err)
	}
	return table, &tls.Config{NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12, GetCertificate: lazily(args[0])}
}

func listen(address string) net.Listener {
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), "tcp", address) // as the daemon does
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func packets(address string) net.PacketConn {
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// lazily reads a certificate at its first handshake, as package tls does.
func lazily(dir string) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var known sync.Map
	return func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c, ok := known.Load(h.ServerName); ok {
			return c.(*tls.Certificate), nil
		}
		path := filepath.Join(dir, filepath.Base(h.ServerName)+".pem")
		c, err := tls.LoadX509KeyPair(path, path)
		if err != nil {
			return nil, err
		}
		known.Store(h.ServerName, &c)
		return &c, nil
	}
}

// byHost is the least that a handler of net/http can do for the same answer.
func byHost(hosts []string) http.Handler {
	known := map[string]http.Handler{}
	for _, h := range hosts {
		known[h] = http.RedirectHandler(target, http.StatusFound)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			name = r.Host
		}
		for _, h := range headers {
			w.Header().Set(h[0], h[1])
		}
		if to := known[name]; to != nil {
			to.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

// loop reads requests of one read each and writes the same octets always.
func loop(l net.Listener) {
	var answer bytes.Buffer
	answer.WriteString("HTTP/1.1 302 Found\r\nLocation: " + target + "\r\nContent-Length: 10\r\n")
	for _, h := range headers {
		fmt.Fprintf(&answer, "%s: %s\r\n", h[0], h[1])
	}
	answer.WriteString("\r\n302 Found\n")
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			var b [4096]byte
			for {
				if _, err := c.Read(b[:]); err != nil {
					return
				}
				if _, err := c.Write(answer.Bytes()); err != nil {
					return
				}
			}
		}()
	}
}
