package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Severity tells a problem that stops from one that only warns.
type Severity int

const (
	// Error is a fault: the configuration can't be used.
	Error Severity = iota
	// Warning is worth knowing; the configuration is used all the same.
	Warning
)

// String gives "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText writes what String gives.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Problem is one thing that is wrong with the configuration, and where.
type Problem struct {
	File     string   `json:"file"`   // as reached from the working directory; "$NAME" for a variable, "--name" for a flag
	Line     int      `json:"line"`   // from 1; 0 where the problem has no line
	Column   int      `json:"column"` // from 1, in characters; 0 where the problem has none
	Message  string   `json:"message"`
	Hint     string   `json:"hint"` // what to write instead; may be empty
	Severity Severity `json:"severity"`
}

// Place gives "file:line:column", as far as they are known.
func (p Problem) Place() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// String gives "file:line:column: message", with "warning: " before the
// message of a warning, and without the hint.
func (p Problem) String() string {
	if p.Severity == Warning {
		return p.Place() + ": warning: " + p.Message
	}
	return p.Place() + ": " + p.Message
}

// Problems are all problems of a configuration, sorted by place.
type Problems []Problem

// Errors gives those that stop.
func (ps Problems) Errors() Problems { return ps.of(Error) }

// Warnings gives those that only warn.
func (ps Problems) Warnings() Problems { return ps.of(Warning) }

func (ps Problems) of(s Severity) Problems {
	var out Problems
	for _, p := range ps {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}

// Error gives every problem and its hint, each on a line of its own, so that
// Problems is an error. To ask whether there is one, use Err.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
		if p.Hint != "" {
			b.WriteString("\n  hint: " + p.Hint)
		}
	}
	return b.String()
}

// Err gives the problems that stop as an error, or nil where there are none.
func (ps Problems) Err() error {
	if errs := ps.Errors(); len(errs) > 0 {
		return errs
	}
	return nil
}

// MarshalJSON writes a list, an empty one where there are no problems.
func (ps Problems) MarshalJSON() ([]byte, error) {
	if ps == nil {
		ps = Problems{}
	}
	return json.Marshal([]Problem(ps))
}

// sorted orders ps by place and drops repetitions.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(ps)
}
