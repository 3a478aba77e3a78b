package wire

import (
	"fmt"
	"log/slog"
)

// damagedError is a value of the state that isn't what was written. Who can do
// without it goes on as if it weren't there; the next write puts it right.
type damagedError struct {
	key string
	err error
}

func (e *damagedError) Error() string {
	return fmt.Sprintf("%s in the state is damaged: %v", e.key, e.err)
}

func (e *damagedError) Unwrap() error { return e.err }

// sayDamaged tells what going on without a damaged value means. log may be nil.
func sayDamaged(log *slog.Logger, err error, meaning string) {
	if log != nil {
		log.Warn("a value in the state is damaged: "+meaning, "error", err)
	}
}
