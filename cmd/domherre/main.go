// Command domherre keeps a portfolio of look-alike domains alive: DNS records,
// certificates and redirects from one declarative list.
package main

import (
	"os"

	"domherre/cmd/domherre/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
