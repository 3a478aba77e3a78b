package config

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// snapshot is what the files held when they were looked at, by path.
type snapshot map[string]content

// content is one file's. The zero content is a file that can't be read.
type content struct {
	sum     [sha256.Size]byte
	size    int
	newline bool // ends in one
	there   bool
}

// look reads every file of s.
func look(s Sources) snapshot {
	out := snapshot{}
	for _, path := range s.Files {
		out[path] = lookAt(path)
	}
	for _, pattern := range s.Globs {
		found, _ := match(pattern) // Load tells of a broken pattern
		for _, path := range found {
			out[path] = lookAt(path)
		}
	}
	return out
}

// match gives the files of a pattern, without those that editors and office
// programs hide beside them.
func match(pattern string) ([]string, error) {
	found, err := filepath.Glob(pattern)
	return slices.DeleteFunc(found, func(p string) bool {
		base := filepath.Base(p)
		return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "~$")
	}), err
}

func lookAt(path string) content {
	b, p := readFile(path, theConfig)
	if p != nil {
		return content{}
	}
	return contentOf(b)
}

func contentOf(b []byte) content {
	return content{sum: sha256.Sum256(b), size: len(b), newline: len(b) > 0 && b[len(b)-1] == '\n', there: true}
}

// equal reports whether nothing differs. A file that was missing and one that
// wasn't looked for are the same.
func (s snapshot) equal(other snapshot) bool { return len(s.changes(other)) == 0 }

// changes gives the paths whose content differs.
func (s snapshot) changes(other snapshot) []string {
	var out []string
	for path, c := range s {
		if c != other[path] {
			out = append(out, path)
		}
	}
	for path, c := range other {
		if _, both := s[path]; !both && c.there {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// suspect reports whether a change looks like one that isn't finished: a file
// that is missing, shorter than it was, or has lost its last line's end.
func (s snapshot) suspect(before snapshot) bool {
	return slices.ContainsFunc(s.changes(before), func(path string) bool {
		now, was := s[path], before[path]
		return !now.there || now.size == 0 || now.size < was.size || was.newline && !now.newline
	})
}

// beingWritten reports whether a program holds a changed file open for
// writing, as far as the system tells.
func (s snapshot) beingWritten(before snapshot) bool {
	return slices.ContainsFunc(s.changes(before), openForWriting)
}

// extended is what to compare with from now on: what s knows of the sources;
// of those that s doesn't know, what Load has read.
func (s snapshot) extended(sources Sources) snapshot {
	out := look(sources)
	for path := range out {
		if known, ok := s[path]; ok {
			out[path] = known
		} else if sources.read != nil {
			out[path] = sources.read[path]
		}
	}
	return out
}

// folders gives the folders in which a change can change a source: that of
// each file, and of each link on the way to it. Of a folder that is missing,
// the nearest one above.
func (s Sources) folders() []string {
	var out []string
	for _, path := range slices.Concat(s.Files, s.Globs) {
		if i := strings.IndexAny(path, "*?["); i >= 0 && slices.Contains(s.Globs, path) {
			path = filepath.Join(filepath.Dir(path[:i]+"x"), "x")
		}
		out = append(out, linkFolders(path)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// maxLinks is how many links in a row are followed, as Linux does.
const maxLinks = 40

// linkFolders follows the links of an absolute path.
func linkFolders(path string) []string {
	out := []string{existing(filepath.Dir(path))}
	for range maxLinks {
		link, rest := firstLink(path)
		if link == "" {
			break
		}
		out = append(out, existing(filepath.Dir(link)))
		target, err := os.Readlink(link)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, rest)
		out = append(out, existing(filepath.Dir(path)))
	}
	return out
}

// firstLink gives the first part of path that is a link, and what follows it.
func firstLink(path string) (link, rest string) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != filepath.Separator {
			continue
		}
		if info, err := os.Lstat(path[:i]); err != nil {
			return "", ""
		} else if info.Mode()&os.ModeSymlink != 0 {
			return path[:i], path[i:]
		}
	}
	return "", ""
}

// existing gives dir, or the nearest folder above that exists.
func existing(dir string) string {
	for dir != filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
