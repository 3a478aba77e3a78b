package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// ListenForChallenges answers CAs at the ports of Options until ctx ends, for a
// process that serves nothing else: a renewal from a timer. A port in use is
// left to whoever has it, who answers from the same store if it is the daemon.
// The error names a port that couldn't be opened for another reason.
func (m *Manager) ListenForChallenges(ctx context.Context) error {
	plain, err := listenUnlessUsed(ctx, m.o.HTTPPort)
	if err != nil {
		return err
	}
	secure, err := listenUnlessUsed(ctx, m.o.HTTPSPort)
	if err != nil {
		if plain != nil {
			return errors.Join(err, plain.Close())
		}
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !m.ServeChallenge(w, r) {
			http.NotFound(w, r)
		}
	})
	if plain != nil {
		serveUntil(ctx, plain, handler)
	}
	if secure != nil {
		config := m.server.Clone()
		config.NextProtos = []string{"http/1.1"}
		serveUntil(ctx, tls.NewListener(secure, config), handler)
	}
	return nil
}

func listenUnlessUsed(ctx context.Context, port int) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening port %d for challenges: %w", port, err)
	}
	return l, nil
}

func serveUntil(ctx context.Context, l net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // it would print addresses
	}
	srv.SetKeepAlivesEnabled(false)
	context.AfterFunc(ctx, func() { srv.Close() })
	go srv.Serve(l)
}
