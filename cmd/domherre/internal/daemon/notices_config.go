package daemon

import (
	"fmt"
	"strings"

	"domherre/check"
	"domherre/config"
)

// mostFaults is how many faults of a config are told by name.
const mostFaults = 3

// faulty tells whoever looks at the page what is wrong with the config on disk,
// and where: most often it is a line that staff have just added to the list.
func faulty(faults config.Problems) (finding, advice told) {
	sv, en := faultsIn("sv", faults), faultsIn("en", faults)
	if more := len(faults) - mostFaults; more > 0 {
		sv += fmt.Sprintf("; %d fel till", more)
		en += fmt.Sprintf("; %d more", more)
	}
	finding = told{
		"Det som nu står i filerna kan inte användas, så det förra gäller: " + sv + ".",
		"What the files say now can't be used, so the one before stays in force: " + en + ".",
	}
	advice = told{
		"Den som ändrade filen: rätta raden. Driften: 'domherre validate' säger allt som är fel.",
		"Whoever changed the file: correct the line. Operations: 'domherre validate' says all that is wrong.",
	}
	return finding, advice
}

// faultsIn words the first faults, each with its place and hint.
func faultsIn(language string, faults config.Problems) string {
	var all []string
	for _, p := range faults[:min(len(faults), mostFaults)] {
		text := placeIn(language, p) + ": " + check.ListFault(language, p.Message)
		if p.Hint != "" {
			text += " (" + check.ListFault(language, p.Hint) + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func placeIn(language string, p config.Problem) string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf(told{"%s, rad %d", "%s, line %d"}.in(language), p.File, p.Line)
}
