package config

import (
	"path/filepath"
	"slices"
)

// Sources are what a configuration was read from, or would be: absolute paths.
type Sources struct {
	Files []string // the main file, domain files, files of secrets and roots
	Globs []string // patterns of domain files
}

// file remembers a file.
func (s *Sources) file(path string) { s.Files = addPath(s.Files, path) }

// glob remembers a pattern.
func (s *Sources) glob(path string) { s.Globs = addPath(s.Globs, path) }

func addPath(paths []string, path string) []string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if slices.Contains(paths, path) {
		return paths
	}
	return append(paths, path)
}

// missing are the places where a main file could appear.
func missing() Sources {
	var s Sources
	for _, p := range DefaultPaths() {
		s.file(p)
	}
	return s
}
