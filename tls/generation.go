package tls

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/caddyserver/certmagic"
)

// generation is one certificate with its key, as it lies in the store: one
// value per generation, so that key and certificate can't be torn apart, and
// a new value per renewal, so that the old one stays until the new one is
// whole. The value is a PEM file with a comment line before and one behind:
//
//	# domherre 1 {"issuer":"acme-v02…","domain":"kopasex.se","obtained":"…"}
//	-----BEGIN PRIVATE KEY-----…
//	-----BEGIN CERTIFICATE-----… leaf first
//	# sha256 9f86d081…
//
// The last line seals it: a value without, or with another digest, was never
// written whole and doesn't count.
type generation struct {
	number  int
	follows int // the one that is served, while this one can't be stored
	meta    meta
	key     []byte   // PKCS #8
	chain   [][]byte // DER, leaf first
	leaf    *x509.Certificate
}

// meta is what the certificate itself doesn't say.
type meta struct {
	Issuer   string    `json:"issuer"` // issuer key of the CA
	Domain   string    `json:"domain"`
	Obtained time.Time `json:"obtained"`
}

const (
	genHeader  = "# domherre 1 "
	genTrailer = "# sha256 "

	keptBefore = 1 // generations that stay beside the newest
)

// StoragePrefix is the folder of the store that holds the certificates. Who
// watches it learns when another process has issued or revoked one, and calls
// Reload.
const StoragePrefix = "certificates"

// newGeneration takes a chain as a CA hands it out, and refuses one that
// doesn't fit the key or lacks a name.
func newGeneration(m meta, key crypto.Signer, chainPEM []byte, names []string) (*generation, error) {
	g := &generation{meta: m}
	for block, rest := pem.Decode(chainPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			g.chain = append(g.chain, block.Bytes)
		}
	}
	var err error
	if g.key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, err
	}
	if err := g.verify(); err != nil {
		return nil, fmt.Errorf("the CA handed out a certificate that can't be used: %w", err)
	}
	for _, n := range names {
		if !covers(g.leaf.DNSNames, n) {
			return nil, fmt.Errorf("the CA handed out a certificate without %s", n)
		}
	}
	return g, nil
}

// verify checks that the leaf parses and belongs to the key.
func (g *generation) verify() error {
	if len(g.chain) == 0 {
		return errors.New("it holds no certificate")
	}
	leaf, err := x509.ParseCertificate(g.chain[0])
	if err != nil {
		return err
	}
	key, err := parseKey(g.key)
	if err != nil {
		return err
	}
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(leaf.PublicKey) {
		return errors.New("key and certificate don't match")
	}
	g.leaf = leaf
	return nil
}

func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T can't sign", key)
	}
	return signer, nil
}

// encode writes the generation as it is stored.
func (g *generation) encode() ([]byte, error) {
	header, err := json.Marshal(g.meta)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(genHeader)
	b.Write(header)
	b.WriteByte('\n')
	b.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: g.key}))
	for _, der := range g.chain {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	sum := sha256.Sum256(b.Bytes())
	b.WriteString(genTrailer + hex.EncodeToString(sum[:]) + "\n")
	return b.Bytes(), nil
}

// decodeGeneration reads a stored value. It accepts sealed values only.
func decodeGeneration(number int, value []byte) (*generation, error) {
	end := bytes.LastIndex(value, []byte("\n"+genTrailer)) + 1
	if end == 0 {
		return nil, errors.New("it was not written to its end")
	}
	sum := sha256.Sum256(value[:end])
	if string(value[end:]) != genTrailer+hex.EncodeToString(sum[:])+"\n" {
		return nil, errors.New("its digest is wrong")
	}
	header, rest, _ := bytes.Cut(value[:end], []byte("\n"))
	text, ok := bytes.CutPrefix(header, []byte(genHeader))
	if !ok {
		return nil, errors.New("it begins with an unknown line")
	}
	g := &generation{number: number}
	if err := json.Unmarshal(text, &g.meta); err != nil {
		return nil, fmt.Errorf("its first line: %w", err)
	}
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			g.key = block.Bytes
		case "CERTIFICATE":
			g.chain = append(g.chain, block.Bytes)
		}
	}
	return g, g.verify()
}

// shelf is the store as a place for generations.
type shelf struct {
	storage certmagic.Storage
}

// newest gives the newest of the generations that is whole, or nil. Each one
// that isn't is told to damaged.
func (s shelf) newest(ctx context.Context, id string, numbers []int, damaged func(key string, err error)) (*generation, error) {
	for _, n := range numbers {
		value, err := s.storage.Load(ctx, generationKey(id, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading the certificate from the state: %w", err)
		}
		g, err := decodeGeneration(n, value)
		if err == nil {
			return g, nil
		}
		damaged(generationKey(id, n), err)
	}
	return nil, nil
}

// add stores g as the newest generation of id and sets its number. It reads it
// back before it believes that it is there.
func (s shelf) add(ctx context.Context, id string, g *generation) error {
	there, err := s.folder(ctx, id)
	if err != nil {
		return err
	}
	next := there.newest() + 1
	value, err := g.encode()
	if err != nil {
		return err
	}
	key := generationKey(id, next)
	if err := s.storage.Store(ctx, key, value); err != nil {
		return fmt.Errorf("storing the certificate: %w", err)
	}
	back, err := s.storage.Load(ctx, key)
	if err != nil || !bytes.Equal(back, value) {
		return fmt.Errorf("storing the certificate: what was written can't be read back (%v)", err)
	}
	g.number = next
	return nil
}

// prune removes generations that are older than the one before newest, and what
// is marked as revoked.
func (s shelf) prune(ctx context.Context, id string, newest int) error {
	there, err := s.folder(ctx, id)
	if err != nil {
		return err
	}
	for _, n := range there.revoked {
		if n >= newest {
			continue
		}
		for _, key := range []string{generationKey(id, n), revokedKey(id, n)} {
			if err := s.storage.Delete(ctx, key); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	kept := 0
	for _, n := range there.numbers {
		if n >= newest {
			continue
		}
		if kept++; kept <= keptBefore {
			continue
		}
		if err := s.storage.Delete(ctx, generationKey(id, n)); err != nil {
			return err
		}
	}
	return nil
}
