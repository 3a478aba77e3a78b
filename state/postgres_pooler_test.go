package state_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"domherre/state/statetest"
)

// TestPgBouncer holds the state to its promises where each transaction may go by
// another connection.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	dir := statetest.Postgres(t).PgBouncer()
	var schemas atomic.Int64
	statetest.Run(t, func(*testing.T) string { return statetest.URLAt(dir, fmt.Sprintf("p%d", schemas.Add(1))) })
}
