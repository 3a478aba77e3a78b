package config

import (
	"embed"
	"io/fs"
	"maps"
)

//go:embed starter
var starterFiles embed.FS

// Starter gives the files that a new configuration starts from, by name: a
// commented main file, a domain file, and the schemas for editors. They
// validate as they are.
func Starter() map[string][]byte {
	out := maps.Clone(Schemas())
	entries, err := fs.ReadDir(starterFiles, "starter")
	if err != nil {
		panic("config: " + err.Error()) // the files are part of the program
	}
	for _, e := range entries {
		b, err := fs.ReadFile(starterFiles, "starter/"+e.Name())
		if err != nil {
			panic("config: " + err.Error())
		}
		out[e.Name()] = b
	}
	return out
}
