package tls

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// folder is what the store holds for one task.
type folder struct {
	numbers []int // of generations, newest first, but for those revoked
	revoked []int // newest first
	record  bool
	keys    []string
}

// newest gives the highest number that was ever given, 0 for none.
func (f folder) newest() int { return max(first(f.numbers), first(f.revoked)) }

func first(numbers []int) int {
	if len(numbers) == 0 {
		return 0
	}
	return numbers[0]
}

// add takes in a key of the store.
func (f *folder) add(key string) {
	f.keys = append(f.keys, key)
	f.record = f.record || path.Base(key) == recordFile
	if _, n, ok := numberOf(key, generationExt); ok {
		f.numbers = append(f.numbers, n)
	}
	if _, n, ok := numberOf(key, revokedExt); ok {
		f.revoked = append(f.revoked, n)
	}
}

func (f *folder) sort() {
	down := func(a, b int) int { return b - a }
	slices.SortFunc(f.revoked, down)
	f.numbers = slices.DeleteFunc(f.numbers, func(n int) bool { return slices.Contains(f.revoked, n) })
	slices.SortFunc(f.numbers, down)
}

// A generation is a file, and so is the mark of one that was revoked: it stays
// until there is a newer one, so that every process learns of it, and no number
// is given twice.
const (
	generationExt = ".pem"
	revokedExt    = ".revoked"
)

func folderOf(id string) string { return path.Join(StoragePrefix, id) }

func generationKey(id string, number int) string { return numberKey(id, number, generationExt) }

func revokedKey(id string, number int) string { return numberKey(id, number, revokedExt) }

func numberKey(id string, number int, ext string) string {
	return path.Join(StoragePrefix, id, fmt.Sprintf("%08d%s", number, ext))
}

// numberOf reads a key of the store back: whose it is, and which generation it
// is about.
func numberOf(key, ext string) (id string, number int, ok bool) {
	dir, file := path.Split(key)
	digits, is := strings.CutSuffix(file, ext)
	number, err := strconv.Atoi(digits)
	id, below := strings.CutPrefix(strings.TrimSuffix(dir, "/"), StoragePrefix+"/")
	return id, number, is && err == nil && below
}

// folder lists what the store holds for one task.
func (s shelf) folder(ctx context.Context, id string) (folder, error) {
	keys, err := s.storage.List(ctx, folderOf(id), false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return folder{}, fmt.Errorf("listing the certificates in the state: %w", err)
	}
	var f folder
	for _, k := range keys {
		f.add(k)
	}
	f.sort()
	return f, nil
}

// folders lists what the store holds, by task.
func (s shelf) folders(ctx context.Context) (map[string]folder, error) {
	keys, err := s.storage.List(ctx, StoragePrefix, true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the certificates in the state: %w", err)
	}
	folders := make(map[string]folder, len(keys)/3)
	for _, k := range keys {
		dir, id := path.Split(path.Dir(k))
		if path.Clean(dir) != StoragePrefix {
			continue
		}
		f := folders[id]
		f.add(k)
		folders[id] = f
	}
	for id, f := range folders {
		f.sort()
		folders[id] = f
	}
	return folders, nil
}
