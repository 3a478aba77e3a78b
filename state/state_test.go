package state_test

import (
	"os"
	"testing"

	"domherre/state/statetest"
)

func TestMain(m *testing.M) {
	statetest.Child()
	os.Exit(m.Run())
}

func TestFiles(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) string { return t.TempDir() + "/state" })
}
