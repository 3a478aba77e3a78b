// Command domherre-lab runs a closed internet on the loopback interface: name
// servers for the root and a few TLDs, a recursive resolver, an ACME CA,
// RDAP and a frontend. It is for the demo and the tests, never for the outside.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := newCommand(os.Getenv)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "domherre-lab: %v\n", err)
		stop()
		os.Exit(1)
	}
}
