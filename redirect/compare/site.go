package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const target = "https://www.xn--duavgr-0xa.se/"

// headers are those that every server adds to its redirect.
var headers = [][2]string{
	{"Cache-Control", "no-store"},
	{"Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
}

// site is what is served: hosts, each with its certificate.
type site struct {
	dir           string
	hosts         []string
	plain, secure string   // addresses
	also          []string // what our own servers are told
}

func newSite(dir string, n int) (*site, error) {
	s := &site{dir: dir}
	if err := os.MkdirAll(filepath.Join(dir, "certs"), 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	for i := range n {
		host := fmt.Sprintf("host-%d.example", i)
		s.hosts = append(s.hosts, host)
		if err := writeCertificate(s.cert(host), key, host); err != nil {
			return nil, err
		}
	}
	for _, at := range []*string{&s.plain, &s.secure} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*at = l.Addr().String()
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
	return s, s.wrkScript()
}

func (s *site) certs() string { return filepath.Join(s.dir, "certs") }

func (s *site) cert(host string) string { return filepath.Join(s.certs(), host+".pem") }

// writeCertificate writes a certificate and its key into one file. One key for
// all makes it quicker; to the servers they are different pairs.
func writeCertificate(path string, key *ecdsa.PrivateKey, host string) error {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	return os.WriteFile(path, text, 0o600)
}

// wrkScript makes wrk ask for all hosts in turn.
func (s *site) wrkScript() error {
	var b strings.Builder
	b.WriteString("local requests, at = {}, 0\nfunction init()\n  for i = 0, " + fmt.Sprint(len(s.hosts)-1) + " do\n")
	b.WriteString("    requests[i] = wrk.format(\"GET\", \"/\", {[\"Host\"] = \"host-\" .. i .. \".example\"})\n  end\nend\n")
	b.WriteString("function request()\n  at = (at + 1) % " + fmt.Sprint(len(s.hosts)) + "\n  return requests[at]\nend\n")
	return os.WriteFile(filepath.Join(s.dir, "wrk.lua"), []byte(b.String()), 0o600)
}
