package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
)

const (
	maxSegment = 200  // octets; file systems bear 255
	maxKey     = 1024 // octets; PATH_MAX is 4096 with the folder's own path
)

// KeyError says why a string is no key.
type KeyError struct {
	Key    string
	Reason string // "has an empty segment"
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("state: %.120q is no key: it %s", e.Key, e.Reason)
}

// ValidKey checks that key can name a value: segments of printable ASCII
// joined by single slashes, none of which starts with a dot. Names with å, ä
// and ö come as A-labels, so that file systems, which disagree about Unicode,
// never make one file of two names. The error is a *KeyError.
func ValidKey(key string) error {
	if len(key) > maxKey {
		return &KeyError{key, fmt.Sprintf("is longer than %d octets", maxKey)}
	}
	for segment := range strings.SplitSeq(key, "/") {
		if reason := badSegment(segment); reason != "" {
			return &KeyError{key, reason}
		}
	}
	return nil
}

// badSegment gives the reason why s can't be a segment of a key, or "".
func badSegment(s string) string {
	switch {
	case s == "":
		return "has an empty segment"
	case s[0] == '.':
		return "has a segment that starts with a dot"
	case len(s) > maxSegment:
		return fmt.Sprintf("has a segment longer than %d octets", maxSegment)
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '\\' {
			return fmt.Sprintf("has the octet 0x%02x in it; names go in as A-labels", c)
		}
	}
	return ""
}

// path maps a key into the folder. Different keys give different paths.
func (s *files) path(key string) (string, error) {
	if err := ValidKey(key); err != nil {
		return "", err
	}
	return filepath.Join(s.root, filepath.FromSlash(key)), nil
}

// prefixPath is path for prefixes, where "" is the folder itself.
func (s *files) prefixPath(prefix string) (string, error) {
	if prefix == "" {
		return s.root, nil
	}
	return s.path(prefix)
}

// lockFile gives the file name for a lock's name, which can be any string:
// different names give different file names.
func lockFile(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.@", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if b.Len() > maxSegment {
		sum := sha256.Sum256([]byte(name))
		// A tilde is never the outcome of escaping.
		return b.String()[:100] + "~" + hex.EncodeToString(sum[:]) + ".lock"
	}
	return b.String() + ".lock"
}
