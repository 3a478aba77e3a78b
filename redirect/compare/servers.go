package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kind is one of the servers that are compared.
type kind struct {
	name    string
	command func(*site) ([]string, error)
	http2   bool
}

// servers gives those that this machine has, ours first.
func servers(caddy string) []kind {
	all := []kind{
		{"domherre", own("domherre"), true},
		{"net/http", own("net/http"), true},
		{"bare", own("bare"), false}, // a loop that reads, and writes octets made beforehand, on crypto/tls
	}
	for _, k := range []struct {
		program string
		kind    kind
	}{
		{"nginx", kind{"nginx", nginx, true}}, {"haproxy", kind{"haproxy", haproxy, true}}, {caddy, kind{"caddy", caddyWith(caddy), true}},
	} {
		if _, err := exec.LookPath(k.program); err != nil {
			log.Printf("\n!!! LEFT OUT: %s is not installed\n", k.kind.name)
			continue
		}
		all = append(all, k.kind)
	}
	return all
}

// own is this program as a server.
func own(which string) func(*site) ([]string, error) {
	return func(s *site) ([]string, error) {
		self, err := os.Executable()
		return append([]string{self, "serve", which, s.plain, s.secure, s.certs(), fmt.Sprint(len(s.hosts))}, s.also...), err
	}
}

func nginx(s *site) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "daemon off; master_process off; worker_processes 1; pid %s/nginx.pid; error_log stderr crit;\n", s.dir)
	b.WriteString("events { worker_connections 65536; }\nhttp { access_log off; server_tokens off; types {} default_type text/plain;\n")
	b.WriteString("server_names_hash_max_size 262144; server_names_hash_bucket_size 128; keepalive_requests 1000000000; keepalive_timeout 60s;\n")
	b.WriteString("ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_cache shared:S:10m; http2_max_concurrent_streams 128;\n")
	for _, h := range headers {
		fmt.Fprintf(&b, "add_header %s %q always;\n", h[0], h[1])
	}
	for _, h := range s.hosts {
		fmt.Fprintf(&b, "server { listen %s; listen %s ssl http2; server_name %s; ssl_certificate %s; ssl_certificate_key %s; return 302 %s; }\n",
			s.plain, s.secure, h, s.cert(h), s.cert(h), target)
	}
	b.WriteString("}\n")
	path := filepath.Join(s.dir, "nginx.conf")
	return []string{"nginx", "-c", path, "-p", s.dir}, os.WriteFile(path, []byte(b.String()), 0o600)
}

func haproxy(s *site) ([]string, error) {
	var hosts, b strings.Builder
	for _, h := range s.hosts {
		fmt.Fprintf(&hosts, "%s %s\n", h, target)
	}
	names := filepath.Join(s.dir, "hosts.map")
	if err := os.WriteFile(names, []byte(hosts.String()), 0o600); err != nil {
		return nil, err
	}
	b.WriteString("global\n  nbthread 1\n  maxconn 4000\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n")
	b.WriteString("defaults\n  mode http\n  timeout client 60s\n  timeout connect 5s\n  timeout server 5s\n  timeout http-keep-alive 60s\nfrontend f\n")
	fmt.Fprintf(&b, "  bind %s\n  bind %s ssl crt %s alpn h2,http/1.1 strict-sni\n", s.plain, s.secure, filepath.Join(s.dir, "certs"))
	for _, h := range headers {
		fmt.Fprintf(&b, "  http-after-response set-header %s %q\n", h[0], h[1])
	}
	fmt.Fprintf(&b, "  http-request redirect location %%[req.hdr(host),field(1,:),lower,map_str(%s)] code 302\n", names)
	path := filepath.Join(s.dir, "haproxy.cfg")
	return []string{"haproxy", "-db", "-q", "-f", path}, os.WriteFile(path, []byte(b.String()), 0o600)
}

// caddyWith is Caddy with all hosts in one route, which is its quickest.
func caddyWith(program string) func(*site) ([]string, error) {
	type m = map[string]any
	return func(s *site) ([]string, error) {
		sent := m{"Location": []string{target}}
		for _, h := range headers {
			sent[h[0]] = []string{h[1]}
		}
		routes := []m{{"match": []m{{"host": s.hosts}}, "handle": []m{{"handler": "static_response", "status_code": 302, "headers": sent}}}}
		var files []m
		for _, h := range s.hosts {
			files = append(files, m{"certificate": s.cert(h), "key": s.cert(h)})
		}
		off := m{"disable": true}
		text, err := json.Marshal(m{
			"admin": m{"disabled": true}, "logging": m{"logs": m{"default": m{"level": "FATAL"}}}, "storage": m{"module": "file_system", "root": s.dir},
			"apps": m{
				"tls": m{"certificates": m{"load_files": files}},
				"http": m{"servers": m{
					"plain":  m{"listen": []string{s.plain}, "routes": routes, "automatic_https": off, "protocols": []string{"h1"}},
					"secure": m{"listen": []string{s.secure}, "routes": routes, "automatic_https": off, "tls_connection_policies": []m{{}}, "protocols": []string{"h1", "h2"}},
				}},
			},
		})
		if err != nil {
			return nil, err
		}
		path := filepath.Join(s.dir, "caddy.json")
		return []string{program, "run", "--config", path}, os.WriteFile(path, text, 0o600)
	}
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}
