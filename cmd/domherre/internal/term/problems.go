package term

import (
	"fmt"
	"io"

	"domherre/config"
)

// Problems writes each problem as "file:line:col: message" with its hint below.
func (t *Term) Problems(w io.Writer, problems config.Problems) {
	for _, p := range problems {
		fmt.Fprintln(w, p)
		if p.Hint != "" {
			fmt.Fprintf(w, "  hint: %s\n", p.Hint)
		}
	}
}
