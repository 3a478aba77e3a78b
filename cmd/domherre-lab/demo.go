package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"domherre/cmd/domherre-lab/demo"
)

func (s *settings) demoCommand() *cobra.Command {
	o := demo.Options{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run an example portfolio in the lab, and show how its domains go live",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.Prepare(); err != nil {
				return err
			}
			s.dir = filepath.Join(o.Dir, "lab")
			l, err := s.startAll(cmd.Context())
			if err != nil {
				return fmt.Errorf("%w\nhint: is another demo running? The ports are listed in %s", err, filepath.Join(o.Example, "domherre.yaml"))
			}
			defer func() { err = errors.Join(err, l.Close()) }()
			o.Out = cmd.OutOrStdout()
			o.Terminal = term.IsTerminal(int(os.Stdout.Fd())) && o.Out == os.Stdout
			return o.Run(cmd.Context())
		},
	}
	f := cmd.Flags()
	s.allFlags(f)
	f.StringVar(&o.Domherre, "domherre", "bin/domherre", "the product's binary")
	f.StringVar(&o.Example, "example", "examples/duavgor", "folder of the portfolio")
	f.StringVar(&o.Dir, "work", ".demo", "folder that it is copied to; emptied first")
	f.StringVar(&o.Admin, "admin", "127.0.0.1:18480", "where the example's admin listener is")
	f.BoolVar(&o.Once, "once", false, "end when all domains are live")
	f.DurationVar(&o.Timeout, "timeout", 2*time.Minute, "give up after this long")
	return cmd
}
