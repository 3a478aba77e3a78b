package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const clients = 8

// shake is a loader that makes a connection for each request: HOW ADDRESS HOST
// DURATION. It prints the number of answers and two percentiles.
func shake(args []string) {
	per, err := time.ParseDuration(args[3])
	if err != nil {
		log.Fatal(err)
	}
	end := time.Now().Add(per)
	var mu sync.Mutex
	var all []time.Duration
	var work sync.WaitGroup
	for range clients {
		work.Go(func() {
			cfg := &tls.Config{ServerName: args[2], InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}, NextProtos: []string{"http/1.1"}}
			if args[0] == "resumed" {
				cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			}
			var took []time.Duration
			for i := 0; time.Now().Before(end); i++ {
				begun := time.Now()
				if err := visit(args[1], cfg, args[0] == "resumed" && i > 0); err != nil {
					log.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			mu.Lock()
			all = append(all, took...)
			mu.Unlock()
		})
	}
	work.Wait()
	slices.Sort(all)
	fmt.Println(len(all), all[len(all)/2].Round(10*time.Microsecond), all[len(all)*99/100].Round(10*time.Microsecond))
}

func visit(addr string, cfg *tls.Config, resumed bool) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil { // no port left in TIME_WAIT
		return err
	}
	tc := tls.Client(c, cfg)
	if _, err := io.WriteString(tc, "GET / HTTP/1.1\r\nHost: "+cfg.ServerName+"\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(tc), nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusFound || tc.ConnectionState().DidResume != resumed {
		return fmt.Errorf("status %d, resumed %v", resp.StatusCode, tc.ConnectionState().DidResume)
	}
	return nil
}
