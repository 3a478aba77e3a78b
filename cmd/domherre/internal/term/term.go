// Package term is the program's voice: everything that the command line
// prints goes through a Term, so that layout and colour are decided in one
// place. Results go to standard output, all else to standard error.
package term

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"
)

// Term writes results and messages.
type Term struct {
	Out io.Writer // results
	Err io.Writer // messages, progress, questions
	In  io.Reader // answers

	// Redact takes secrets out of messages; nil while none are known.
	Redact func(string) string

	colour   bool // Out takes colour
	progress bool // Err is a terminal
}

// New makes a Term; noColour is whether NO_COLOR is set (no-color.org).
// Colour, progress and questions are for terminals only.
func New(in io.Reader, out, err io.Writer, noColour bool) *Term {
	return &Term{Out: out, Err: err, In: in,
		colour: isTerminal(out) && !noColour, progress: isTerminal(err)}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Interactive reports whether a person can be asked.
func (t *Term) Interactive() bool { return t.progress && isTerminal(t.In) }

// Hinter is an error that knows what to do about it.
type Hinter interface{ Hint() string }

// Error tells what went wrong, and what to do about it where err knows.
func (t *Term) Error(err error) {
	t.tell(fmt.Sprintf("domherre: %s\n", err))
	var h Hinter
	if errors.As(err, &h) && h.Hint() != "" {
		t.tell(fmt.Sprintf("hint: %s\n", h.Hint()))
	}
}

func (t *Term) tell(message string) {
	if t.Redact != nil {
		message = t.Redact(message)
	}
	fmt.Fprint(t.Err, message)
}

// Warn tells what will not stop the work, but should be known.
func (t *Term) Warn(message, hint string) {
	t.tell(fmt.Sprintf("domherre: warning: %s\n", message))
	if hint != "" {
		t.tell(fmt.Sprintf("hint: %s\n", hint))
	}
}

// Notef tells what is going on.
func (t *Term) Notef(format string, args ...any) {
	t.tell(fmt.Sprintf("domherre: "+format+"\n", args...))
}

// Printf writes a result.
func (t *Term) Printf(format string, args ...any) { fmt.Fprintf(t.Out, format, args...) }

// JSON writes v as the result, indented, with < > & as they are.
func (t *Term) JSON(v any) error {
	enc := json.NewEncoder(t.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Ask puts a yes-or-no question; anything but y, yes, j or ja is no.
func (t *Term) Ask(question string) bool {
	fmt.Fprintf(t.Err, "%s [y/N] ", question)
	line, _ := bufio.NewReader(t.In).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "j", "ja":
		return true
	}
	return false
}

// Progress shows how far long work has come, on one line that is written over
// and over. It shows nothing where Err is no terminal.
func (t *Term) Progress(what string, done, total int) {
	if !t.progress {
		return
	}
	fmt.Fprintf(t.Err, "\r\x1b[K%s %d/%d", what, done, total)
	if done >= total {
		fmt.Fprint(t.Err, "\r\x1b[K")
	}
}

// Styles by meaning. Colour never carries what words don't say as well.
var (
	good  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad   = lipgloss.NewStyle().Foreground(lipgloss.Red)
	amber = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	faint = lipgloss.NewStyle().Faint(true)
	bold  = lipgloss.NewStyle().Bold(true)
)

func (t *Term) paint(s lipgloss.Style, text string) string {
	if !t.colour {
		return text
	}
	return s.Render(text)
}

// Table writes rows in aligned columns under a header. Cells may be painted.
func (t *Term) Table(header []string, rows [][]string) {
	width := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], lipgloss.Width(cell))
		}
	}
	heads := make([]string, len(header))
	for i, h := range header {
		heads[i] = t.paint(bold, h)
	}
	for _, row := range append([][]string{heads}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", width[i]-lipgloss.Width(cell)+2))
			}
		}
		fmt.Fprintln(t.Out, strings.TrimRight(line.String(), " "))
	}
}
