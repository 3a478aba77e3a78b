package main

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// ground is the socket from which a process attacks by QUIC.
var ground = sync.OnceValue(func() *quic.Transport {
	c, err := net.ListenPacket("udp", net.JoinHostPort(dialer.LocalAddr.(*net.TCPAddr).IP.String(), "0"))
	if err != nil {
		log.Fatal(err)
	}
	return &quic.Transport{Conn: c}
})

// silentQUIC connects and waits for the server to close.
func silentQUIC(addr, host string) {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		log.Fatal(err)
	}
	cfg := visitor(host, "h3")
	cfg.MinVersion = tls.VersionTLS13
	c, err := ground().Dial(context.Background(), to, cfg, &quic.Config{MaxIdleTimeout: time.Minute})
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return
	}
	<-c.Context().Done()
}
