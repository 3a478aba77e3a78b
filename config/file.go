package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxFile is the most that a file may hold, in octets: 100,000 domains with
// notes take a tenth of it.
const maxFile = 256 << 20

// DefaultPaths are where Load looks for a main file that isn't named.
func DefaultPaths() []string {
	return []string{"domherre.yaml", "/etc/domherre/domherre.yaml"}
}

// find gives the path of the main file.
func find(path string) (string, *Problem) {
	if path != "" {
		return path, nil
	}
	candidates := DefaultPaths()
	for _, p := range candidates {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			return p, nil
		}
	}
	return "", &Problem{
		File:    candidates[0],
		Message: fmt.Sprintf("no config at %s or %s", candidates[0], candidates[1]),
		Hint:    "make one with `domherre init`, or name it with --config",
	}
}

// readFile reads a regular file whole. what names it in the fault:
// "the config", "the domain file".
func readFile(path, what string) ([]byte, *Problem) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, unreadable(path, what, err)
	case info.IsDir():
		p := &Problem{File: path, Message: what + " is a folder"}
		if what == theConfig {
			p.Hint = "name the file, such as " + filepath.Join(path, "domherre.yaml")
		}
		return nil, p
	case !info.Mode().IsRegular(): // a pipe would be waited for, and is empty the second time
		return nil, &Problem{File: path, Message: what + " is no regular file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, what, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, unreadable(path, what, err)
	case len(b) > maxFile:
		return nil, &Problem{File: path, Message: fmt.Sprintf("%s holds more than %d MB", what, maxFile>>20)}
	}
	return b, nil
}

func unreadable(path, what string, err error) *Problem {
	p := &Problem{File: path, Message: fmt.Sprintf("%s can't be read: %s", what, reason(err))}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Message = fmt.Sprintf("no %s at %s", trimArticle(what), path)
		if what == theConfig {
			p.Hint = "make one with `domherre init`, or name another with --config"
		}
	case errors.Is(err, fs.ErrPermission):
		p.Hint = "give this user the right to read it: chmod or chgrp"
	}
	return p
}

const (
	theConfig     = "the config"
	theDomainFile = "the domain file"
)

func trimArticle(s string) string { return s[len("the "):] }

// reason is an error without the path that *fs.PathError repeats.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// othersCanRead reports whether users outside the file's owner and group can
// read path: by its own mode, and that of each folder on the way.
func othersCanRead(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if real, err = filepath.Abs(real); err != nil {
		return false
	}
	info, err := os.Stat(real)
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return false
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
