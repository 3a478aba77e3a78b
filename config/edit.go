package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/text/encoding/charmap"

	"domherre/portfolio"
)

// Addition is a domain to put on the list.
type Addition struct {
	Name      portfolio.Name
	Frontend  string // as written; "" for the common one
	Provider  string // "" for the first
	Note      string
	Owner     string
	Tags      []string
	Registrar string
	Expires   string // as written: 2027-03-01
	Launch    string // as written: 2027-03-01
	Paused    bool
}

// Edit is a change to a domain file that hasn't been written yet.
type Edit struct {
	File          string
	Before, After []byte
}

// PrepareAdd works out how a domain file (the first, where file is empty)
// looks with further domains at its end, and validates the configuration as
// it would be then. Comments and order stay as they are. Where one of the
// problems is an Error, the Edit is not to be written.
func PrepareAdd(path string, o Options, file string, add []Addition) (Edit, Problems) {
	c, problems := Load(path, o)
	switch {
	case file == "" && len(c.DomainFiles) == 0:
		return Edit{}, problems
	case file == "":
		file = c.DomainFiles[0]
	}
	if !slices.ContainsFunc(c.DomainFiles, func(f string) bool { return canonicalPath(f) == canonicalPath(file) }) {
		return Edit{}, Problems{{
			File: file, Message: "it is none of the domain files of " + c.Path,
			Hint: "choose one of them, or name it under domains: first: " + strings.Join(c.DomainFiles, ", "),
		}}
	}
	e, p := edit(file, func(text, ext string) (string, error) {
		switch ext {
		case ".txt":
			return addPlain(text, add)
		case ".csv":
			return addRows(text, add)
		}
		return addItems(text, add)
	})
	if p != nil {
		return Edit{}, Problems{*p}
	}
	return e, after(path, o, e)
}

// PrepareRemove works out how the domain files look without some domains, and
// validates the configuration as it would be then.
func PrepareRemove(path string, o Options, names []portfolio.Name) ([]Edit, Problems) {
	c, problems := Load(path, o)
	if problems.Err() != nil {
		return nil, problems
	}
	places := map[portfolio.Name]portfolio.Source{}
	for _, d := range c.Portfolio.Domains {
		places[d.Name] = d.Source
	}
	lines := map[string][]int{}
	for _, n := range names {
		at, listed := places[n]
		if !listed {
			return nil, Problems{{File: c.Path, Message: fmt.Sprintf("%s isn't on the list", n), Hint: "`domherre domains list` shows it"}}
		}
		lines[at.File] = append(lines[at.File], at.Line)
	}
	var edits []Edit
	for _, file := range c.DomainFiles {
		if len(lines[file]) == 0 {
			continue
		}
		e, p := edit(file, func(text, ext string) (string, error) {
			switch ext {
			case ".txt":
				return removePlain(text, lines[file]), nil
			case ".csv":
				return removeRows(text, lines[file])
			}
			return removeItems(text, lines[file])
		})
		if p != nil {
			return nil, Problems{*p}
		}
		edits = append(edits, e)
	}
	return edits, after(path, o, edits...)
}

// after loads the configuration as it would be.
func after(path string, o Options, edits ...Edit) Problems {
	o.Replace = map[string][]byte{}
	for _, e := range edits {
		o.Replace[absolute(e.File)] = e.After
	}
	_, problems := Load(path, o)
	return problems
}

// edit changes the text of a file, keeping its encoding and line ends.
func edit(file string, change func(text, ext string) (string, error)) (Edit, *Problem) {
	content, p := readFile(file, theDomainFile)
	if p != nil {
		return Edit{}, p
	}
	form := formOf(content)
	decoded, p := decodeTable(file, content)
	if p != nil {
		return Edit{}, p
	}
	text := string(decoded)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text, err := change(text, strings.ToLower(filepath.Ext(file)))
	if err == nil {
		var out []byte
		if out, err = form.encode(text); err == nil {
			return Edit{File: file, Before: content, After: out}, nil
		}
	}
	return Edit{}, &Problem{File: file, Message: "the file can't be changed here: " + err.Error(), Hint: "change it in an editor"}
}

// form is how a text was saved.
type form struct{ bom, crlf, windows1252 bool }

func formOf(content []byte) form {
	bare := bytes.TrimPrefix(content, []byte("\ufeff"))
	return form{
		bom:         len(bare) < len(content),
		crlf:        bytes.Contains(bare, []byte("\r\n")),
		windows1252: notUTF8("", bare) != nil,
	}
}

func (f form) encode(text string) ([]byte, error) {
	if f.crlf {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if f.windows1252 {
		b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(text))
		if err != nil {
			return nil, errors.New("it is saved as Windows-1252, which lacks a letter of the new text")
		}
		return b, nil
	}
	if f.bom {
		text = "\ufeff" + text
	}
	return []byte(text), nil
}

// Write replaces the file in one step, keeping its permissions, unless it has
// changed since it was read.
func (e Edit) Write() error {
	path, err := filepath.EvalSymlinks(e.File)
	if err != nil {
		return fmt.Errorf("write %s: %s", e.File, reason(err))
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write %s: %s", e.File, reason(err))
	}
	if !bytes.Equal(now, e.Before) {
		return fmt.Errorf("write %s: it was changed meanwhile; try again", e.File)
	}
	if err := renameio.WriteFile(path, e.After, 0o644, renameio.WithExistingPermissions()); err != nil {
		return fmt.Errorf("write %s: %s", e.File, reason(err))
	}
	return nil
}
