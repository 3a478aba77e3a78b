package cli

import (
	"errors"
	"strings"
	"testing"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A result that couldn't be written fails every command.
func TestResultsThatAreLost(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"version", "version -o json", "schema", "providers", "--help", "completion bash"} {
		var errs strings.Builder
		unset := func(string) (string, bool) { return "", false }
		code := Main(strings.Fields(args), Environment{In: strings.NewReader(""), Out: full{}, Err: &errs, Getenv: unset})
		if code != exitFailed || errs.String() != "domherre: no space left on device\n" {
			t.Errorf("%s: exit %d: %s", args, code, errs.String())
		}
	}
}
