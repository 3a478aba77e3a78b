package state

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// Holder says who holds a lock or a lease, for people to read. Nothing is
// decided by it.
type Holder struct {
	Command string    `json:"command"` // "domherre apply"
	PID     int       `json:"pid"`
	User    string    `json:"user"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
}

// filled gives h with its zero fields taken from self, and since now.
func (h Holder) filled(self Holder, now time.Time) Holder {
	if h.Command == "" {
		h.Command = self.Command
	}
	if h.PID == 0 {
		h.PID = self.PID
	}
	if h.User == "" {
		h.User = self.User
	}
	if h.Host == "" {
		h.Host = self.Host
	}
	if h.Since.IsZero() {
		h.Since = now.UTC().Truncate(time.Second)
	}
	return h
}

// thisProcess is who holds what nobody gave a Holder for.
func thisProcess() Holder {
	host, _ := os.Hostname() // "" is fine: it's for people to read
	return Holder{Command: filepath.Base(os.Args[0]), PID: os.Getpid(), User: userName(), Host: host}
}

// userName names the user that this process runs as, by number where the
// system has no name for it, as in many containers.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// String is "domherre apply, pid 123, user anna, host web1, since 2026-11-24T08:59:55Z",
// without what isn't known.
func (h Holder) String() string {
	if h.PID == 0 {
		return "a process that left no name"
	}
	parts := []string{h.Command, fmt.Sprintf("pid %d", h.PID)}
	if h.User != "" {
		parts = append(parts, "user "+h.User)
	}
	if h.Host != "" {
		parts = append(parts, "host "+h.Host)
	}
	if !h.Since.IsZero() {
		parts = append(parts, "since "+h.Since.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, ", ")
}

// HeldError says that somebody else holds a lease.
type HeldError struct {
	Name   string // of the lease
	Holder Holder // zero where the holder isn't known
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is held by %s; wait until it is done, or stop it", e.Name, e.Holder)
}
