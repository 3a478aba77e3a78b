package tls

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"
)

// nodeOf is a process on a store.
func nodeOf(t *testing.T, s certmagic.Storage) *Manager {
	t.Helper()
	m, err := New(Options{Storage: s, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// opens reports whether a node takes what another one sealed.
func opens(t *testing.T, state *tls.SessionState, sealer, opener *Manager) bool {
	t.Helper()
	ticket, err := sealer.server.WrapSession(tls.ConnectionState{}, state)
	if err != nil {
		t.Fatal(err)
	}
	got, err := opener.server.UnwrapSession(ticket, tls.ConnectionState{})
	return err == nil && got != nil
}

// session gives what a server would put into a ticket.
func session(t *testing.T) (state *tls.SessionState) {
	t.Helper()
	key, err := newKey("p256")
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	server := tls.Server(a, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		WrapSession: func(_ tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
			state = s
			return nil, errors.New("seen")
		},
	})
	go func() {
		c := tls.Client(b, &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)})
		_ = c.Handshake()
	}()
	if server.Handshake(); state == nil {
		t.Fatal("no ticket was made")
	}
	return state
}

// TestTicketsAreShared: what one node has sealed, all open, also while keys are
// replaced; after some hours nobody does.
func TestTicketsAreShared(t *testing.T) {
	t.Parallel()
	state := session(t)
	synctest.Test(t, func(t *testing.T) {
		s := &certmagic.FileStorage{Path: t.TempDir()}
		leader, follower := nodeOf(t, s), nodeOf(t, s)
		if opens(t, state, leader, follower) {
			t.Error("without keys in the store, two nodes have the same")
		}
		leader.turnTickets(t.Context(), true)
		follower.RotateTickets(t.Context())
		first, err := leader.server.WrapSession(tls.ConnectionState{}, state)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 5 * 60 {
			for _, look := range []func(){func() { leader.turnTickets(t.Context(), true) }, func() { follower.RotateTickets(t.Context()) }} {
				look()
				if !opens(t, state, leader, follower) || !opens(t, state, follower, leader) {
					t.Fatal("a node doesn't open what the other one sealed")
				}
			}
			keys, err := leader.shelf.ticketKeys(t.Context(), time.Now())
			if err != nil || len(keys) == 0 || len(keys) > ticketsKept {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			seen[string(keys[0].Key)] = true
			time.Sleep(ticketsEvery)
		}
		if len(seen) != 5 {
			t.Errorf("%d keys in five hours", len(seen))
		}
		if got, err := follower.server.UnwrapSession(first, tls.ConnectionState{}); got != nil || err != nil {
			t.Errorf("after five hours a ticket opens: %v", err)
		}
		if next := nodeOf(t, s); true {
			next.RotateTickets(t.Context())
			if !opens(t, state, leader, next) {
				t.Error("a process that starts doesn't open them")
			}
		}
	})
}

// away is a store that can't be reached.
type away struct{ certmagic.Storage }

func (away) Load(context.Context, string) ([]byte, error) { return nil, errors.New("away") }

// TestTicketsWithoutStore: keys that were read serve on for a while, then each
// node has its own, which it replaces too.
func TestTicketsWithoutStore(t *testing.T) {
	t.Parallel()
	state := session(t)
	synctest.Test(t, func(t *testing.T) {
		s := &certmagic.FileStorage{Path: t.TempDir()}
		a, b := nodeOf(t, s), nodeOf(t, s)
		a.turnTickets(t.Context(), true)
		b.RotateTickets(t.Context())
		b.shelf.storage = away{s}
		b.RotateTickets(t.Context())
		if !opens(t, state, a, b) {
			t.Error("the keys are gone as soon as the store is away")
		}
		var own []byte
		for range 3 {
			time.Sleep(2 * ticketLife)
			b.RotateTickets(t.Context())
			if now := b.tickets.own; len(now) == 0 || bytes.Equal(now[0].Key, own) {
				t.Error("it made no new key")
			} else {
				own = now[0].Key
			}
			if !opens(t, state, b, b) {
				t.Error("it doesn't open its own")
			}
		}
		b.shelf.storage = s
		a.turnTickets(t.Context(), true)
		b.RotateTickets(t.Context())
		if !opens(t, state, a, b) || !opens(t, state, b, a) {
			t.Error("with the store back, they aren't shared again")
		}
	})
}
