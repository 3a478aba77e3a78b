// Command domherre keeps a portfolio of look-alike domains alive: DNS records,
// certificates and redirects from one declarative list.
package main

import (
	"io"
	"log"
	"os"

	"domherre/cmd/domherre/internal/cli"
	"domherre/dnsprovider"
)

func main() { os.Exit(run()) }

func run() int {
	env := cli.System()
	// What libraries print by themselves is no result, and may name visitors.
	os.Stdout = os.Stderr
	log.SetOutput(io.Discard)
	dnsprovider.Route()
	return cli.Main(os.Args[1:], env)
}
