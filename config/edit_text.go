package config

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keyed is one key of an entry, with its value as written.
type keyed struct{ key, value string }

// keys gives what an addition says beside its name, in the order of columns.
func (a Addition) keys() []keyed {
	paused := ""
	if a.Paused {
		paused = "true"
	}
	all := []keyed{
		{"frontend", a.Frontend}, {"provider", a.Provider}, {"note", oneLine(a.Note)}, {"owner", oneLine(a.Owner)},
		{"tags", strings.Join(a.Tags, ", ")}, {"registrar", oneLine(a.Registrar)},
		{"expires", a.Expires}, {"launch", a.Launch}, {"paused", paused},
	}
	return slices.DeleteFunc(all, func(k keyed) bool { return k.value == "" })
}

// addPlain appends names, one a line. A note becomes a comment; there is no
// place for more.
func addPlain(text string, add []Addition) (string, error) {
	for _, a := range add {
		for _, k := range a.keys() {
			if k.key != "note" {
				return "", fmt.Errorf("a list of bare names has no place for a %s", k.key)
			}
		}
		text += a.Name.Unicode()
		if a.Note != "" {
			text += " # " + oneLine(a.Note)
		}
		text += "\n"
	}
	return text, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// removePlain drops lines, counted from 1.
func removePlain(text string, drop []int) string {
	var b strings.Builder
	line := 0
	for s := range strings.Lines(text) {
		if line++; !slices.Contains(drop, line) {
			b.WriteString(s)
		}
	}
	return b.String()
}

// addRows appends rows to a table, in the order of its columns.
func addRows(text string, add []Addition) (string, error) {
	t := table{l: &loader{config: &Config{}}, lines: strings.Split(text, "\n")}
	content, comma := t.separator(text)
	t.reader = csv.NewReader(strings.NewReader(content))
	t.reader.Comma = comma
	if !t.readHeader() {
		return "", errors.New("its header isn't understood")
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = comma
	for _, a := range add {
		row := make([]string, len(t.header))
		for _, k := range append(a.keys(), keyed{"domain", a.Name.Unicode()}) {
			i := slices.Index(t.header, k.key)
			if i < 0 {
				return "", fmt.Errorf("it has no column %s", k.key)
			}
			row[i] = k.value
		}
		if err := w.Write(row); err != nil {
			return "", err
		}
	}
	w.Flush()
	return text + b.String(), w.Error()
}

// removeRows drops the rows whose domain stands on these lines.
func removeRows(text string, drop []int) (string, error) {
	t := table{l: &loader{config: &Config{}}, lines: strings.Split(text, "\n")}
	content, comma := t.separator(text)
	head := text[:len(text)-len(content)]
	r := csv.NewReader(strings.NewReader(content))
	r.Comma, r.FieldsPerRecord = comma, -1
	var b strings.Builder
	b.WriteString(head)
	for start := int64(0); start < int64(len(content)); start = r.InputOffset() {
		record, err := r.Read()
		if err != nil {
			b.WriteString(content[start:]) // blank lines at the end
			break
		}
		first, _ := r.FieldPos(0)
		last, _ := r.FieldPos(len(record) - 1)
		if !slices.ContainsFunc(drop, func(line int) bool { return first+t.skip <= line && line <= last+t.skip }) {
			b.WriteString(content[start:r.InputOffset()])
		}
	}
	return b.String(), nil
}

// block is a list under domains: that is written with a dash a line.
type block struct {
	lines  []string // with their ends
	indent int      // blanks before the dashes
	items  []int    // the line of each dash, from 0
	end    int      // the line after the last item
}

// readBlock finds the list in a domain file. A list that is empty ends after
// the key.
func readBlock(text string) (block, error) {
	b := block{lines: slices.Collect(strings.Lines(text)), indent: 2}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return b, errors.New("it is no YAML")
	}
	var key, list *yaml.Node
	if len(doc.Content) == 1 && doc.Content[0].Kind == yaml.MappingNode {
		for i, n := range doc.Content[0].Content {
			if i%2 == 0 && n.Value == "domains" {
				key, list = n, doc.Content[0].Content[i+1]
			}
		}
	}
	switch {
	case key == nil:
		return b, errors.New("it has no key domains")
	case list.Kind == yaml.ScalarNode && list.Tag == "!!null":
		b.end = key.Line
		return b, nil
	case list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0:
		return b, errors.New("its list isn't written with a dash a line")
	}
	b.indent = list.Column - 1
	for _, item := range list.Content {
		b.items = append(b.items, b.dash(item.Line-1))
	}
	b.end = b.itemEnd(b.items[len(b.items)-1])
	return b, nil
}

// indentOf counts the blanks before a line's text; a blank line has -1.
func indentOf(line string) int {
	text := strings.TrimLeft(line, " ")
	if strings.TrimSpace(text) == "" {
		return -1
	}
	return len(line) - len(text)
}

// dash finds the dash of an item, on the line of its content or above.
func (b block) dash(line int) int {
	for ; line > 0; line-- {
		if indentOf(b.lines[line]) == b.indent && b.lines[line][b.indent] == '-' {
			break
		}
	}
	return line
}

// itemEnd gives the line after an item: after the last that is indented
// further than its dash.
func (b block) itemEnd(dash int) int {
	end := dash + 1
	for i := end; i < len(b.lines); i++ {
		switch n := indentOf(b.lines[i]); {
		case n > b.indent:
			end = i + 1
		case n >= 0:
			return end
		}
	}
	return end
}

// addItems puts items behind the last.
func addItems(text string, add []Addition) (string, error) {
	b, err := readBlock(text)
	if err != nil {
		return "", err
	}
	margin := strings.Repeat(" ", b.indent)
	var items strings.Builder
	for _, a := range add {
		items.WriteString(a.item(margin))
	}
	return strings.Join(slices.Insert(b.lines, b.end, items.String()), ""), nil
}

// item writes an addition as an item of a list.
func (a Addition) item(margin string) string {
	keys := a.keys()
	if len(keys) == 0 {
		return margin + "- " + scalarText(a.Name.Unicode()) + "\n"
	}
	text := margin + "- name: " + scalarText(a.Name.Unicode()) + "\n"
	for _, k := range keys {
		switch k.key {
		case "tags":
			tags := make([]string, len(a.Tags))
			for i, t := range a.Tags {
				tags[i] = quotedText(t)
			}
			k.value = "[" + strings.Join(tags, ", ") + "]"
		case "expires", "launch", "paused":
		default:
			k.value = scalarText(k.value)
		}
		text += margin + "  " + k.key + ": " + k.value + "\n"
	}
	return text
}

// scalarText writes a string as YAML, in quotes where it needs them.
func scalarText(s string) string {
	out, err := yaml.Marshal(s)
	if text := strings.TrimSuffix(string(out), "\n"); err == nil && !strings.Contains(text, "\n") {
		return text
	}
	return quotedText(s)
}

// quotedText writes a string of one line as YAML in double quotes.
func quotedText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}

// removeItems drops the items whose name stands on these lines, from 1.
func removeItems(text string, drop []int) (string, error) {
	b, err := readBlock(text)
	if err != nil {
		return "", err
	}
	for i := len(b.items) - 1; i >= 0; i-- {
		start, end := b.items[i], b.itemEnd(b.items[i])
		if slices.ContainsFunc(drop, func(line int) bool { return start < line && line <= end }) {
			b.lines = slices.Delete(b.lines, start, end)
		}
	}
	return strings.Join(b.lines, ""), nil
}
