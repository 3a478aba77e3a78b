package config

import (
	"path/filepath"
	"slices"
)

// Sources are what a configuration was read from, or would be: absolute paths.
type Sources struct {
	Files []string // the main file, domain files, files of secrets and roots
	Globs []string // patterns of domain files

	read snapshot // what the files held, so that no change after that is missed
}

// saw remembers what a file held.
func (s *Sources) saw(path string, c content) {
	if s.read == nil {
		s.read = snapshot{}
	}
	s.read[absolute(path)] = c
	s.file(path)
}

// file remembers a file.
func (s *Sources) file(path string) { s.Files = addPath(s.Files, path) }

// glob remembers a pattern.
func (s *Sources) glob(path string) { s.Globs = addPath(s.Globs, path) }

func addPath(paths []string, path string) []string {
	path = absolute(path)
	if slices.Contains(paths, path) {
		return paths
	}
	return append(paths, path)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// missing are the places where a main file could appear.
func missing() Sources {
	var s Sources
	for _, p := range DefaultPaths() {
		s.file(p)
	}
	return s
}
