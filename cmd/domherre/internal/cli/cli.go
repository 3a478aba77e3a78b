// Package cli is the command line: one file a command, each of which opens the
// rooms that it needs, asks them, and hands what they say to the Term.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"domherre/cmd/domherre/internal/term"
)

// Exit codes, as the contract names them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitPending = 2  // plan --detailed-exitcode: changes pending
	exitPartly  = 3  // some domains failed
	exitRefused = 4  // by the guard
	exitUsage   = 64 // EX_USAGE
	exitConfig  = 78 // EX_CONFIG
)

// Environment is what a command has of the world around it.
type Environment struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) (string, bool)
}

// System is the process's own environment.
func System() Environment {
	return Environment{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.LookupEnv}
}

// app is what all commands share.
type app struct {
	env    Environment
	term   *term.Term
	config string // --config
	output string // -o: text or json
}

// exit ends a command with a code. A nil err has been told already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// results is standard output. It remembers what couldn't be written: a result
// that nobody got is no success.
type results struct {
	to  io.Writer
	err error
}

func (r *results) Write(p []byte) (int, error) {
	n, err := r.to.Write(p)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n, err
}

// Main runs the command line and gives the exit code.
func Main(args []string, env Environment) int {
	_, noColour := env.Getenv("NO_COLOR")
	a := &app{env: env, term: term.New(env.In, env.Out, env.Err, noColour)}
	out := &results{to: env.Out}
	a.env.Out, a.term.Out = out, out
	root := a.root()
	root.SetArgs(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time doesn't want to wait
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.err
	}
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if e := (*exit)(nil); errors.As(err, &e) {
		code, err = e.code, e.err
	}
	if err != nil {
		a.term.Error(err)
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "domherre",
		Short:         "keeps a portfolio of look-alike domains alive",
		Long:          "Domherre keeps a portfolio of look-alike domains alive: one list of domains in,\nDNS records, certificates that renew themselves and redirects to one frontend out.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.env.In)
	root.SetOut(a.env.Out)
	root.SetErr(a.env.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, err.Error()) })
	named, _ := a.env.Getenv("DOMHERRE_CONFIG")
	root.PersistentFlags().StringVarP(&a.config, "config", "c", named, "the config file (default ./domherre.yaml, then /etc/domherre/domherre.yaml)")
	root.AddCommand(
		a.initCommand(), a.validateCommand(), a.planCommand(), a.applyCommand(), a.runCommand(),
		a.statusCommand(), a.checkCommand(), a.certsCommand(), a.domainsCommand(), a.zonesCommand(),
		a.historyCommand(), a.rollbackCommand(), a.hitsCommand(), a.stateCommand(), a.providersCommand(), a.schemaCommand(), a.versionCommand(),
	)
	root.InitDefaultCompletionCmd("completion")
	a.tidy(root)
	return root
}

// bare answers a command that only groups others with its help, and an unknown
// word with the nearest commands.
func bare(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	hint := c.CommandPath() + " --help lists the commands"
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	words := strings.TrimPrefix(c.CommandPath()+" ", c.Root().Name()+" ") + args[0]
	return &exit{exitUsage, hinted("there is no command "+words, hint)}
}

// tidy turns cobra's complaints about arguments into wrong usage.
func (a *app) tidy(c *cobra.Command) {
	if !c.Runnable() {
		c.Args, c.RunE = cobra.ArbitraryArgs, bare
	}
	a.complete(c)
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage(c, err.Error())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		a.tidy(sub)
	}
}

func usage(c *cobra.Command, message string) error {
	return &exit{exitUsage, hinted(message, c.CommandPath()+" --help shows how it is used")}
}

// reports gives a command the -o flag: text, json, and more forms where it has
// them.
func (a *app) reports(c *cobra.Command, more ...string) {
	forms := append([]string{"text", "json"}, more...)
	last := len(forms) - 1
	either := strings.Join(forms[:last], ", ") + " or " + forms[last]
	c.Flags().StringVarP(&a.output, "output", "o", "text", either)
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)) // fails for a flag that isn't there
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains(forms, a.output) {
			return usage(c, "-o takes "+either+", not "+a.output)
		}
		if before != nil {
			return before(c, args)
		}
		return nil
	}
}

func (a *app) json() bool { return a.output == "json" }

// hintedError is an error that says what to do about it.
type hintedError struct{ message, hint string }

func hinted(message, hint string) error { return &hintedError{message, hint} }

func (e *hintedError) Error() string { return e.message }

// Hint says what to do instead.
func (e *hintedError) Hint() string { return e.hint }
