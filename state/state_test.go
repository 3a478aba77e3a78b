package state_test

import (
	"fmt"
	"os"
	"sync/atomic"
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

func TestFilesSealed(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) string { return statetest.With(t.TempDir()+"/state", "") })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := statetest.Postgres(t)
	var schemas atomic.Int64
	location := func() string { return server.URL(fmt.Sprintf("s%d", schemas.Add(1))) }
	statetest.Run(t, func(*testing.T) string { return location() })
	t.Run("sealed and cached", func(t *testing.T) {
		statetest.Run(t, func(t *testing.T) string { return statetest.With(location(), t.TempDir()) })
	})
}
