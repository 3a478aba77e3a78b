package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// tableText reads a .csv or .txt file as people save them: UTF-8 with or
// without a byte-order mark, or Windows-1252; any line ends.
func (l *loader) tableText(path string) (string, bool) {
	content, p := l.read(path, theDomainFile)
	if p == nil {
		content, p = decodeTable(path, content)
	}
	if p != nil {
		l.report(*p)
		return "", false
	}
	return string(content), true
}

func decodeTable(path string, content []byte) ([]byte, *Problem) {
	if bytes.HasPrefix(content, []byte{0xff, 0xfe}) || bytes.HasPrefix(content, []byte{0xfe, 0xff}) {
		return nil, &Problem{File: path, Line: 1, Column: 1, Message: "the file is UTF-16", Hint: "save it as 'CSV UTF-8'"}
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if i := bytes.IndexByte(content, 0); i >= 0 {
		line := 1 + bytes.Count(content[:i], []byte("\n"))
		return nil, &Problem{File: path, Line: line, Column: 1, Message: "the file isn't text", Hint: "save it as 'CSV UTF-8', not as a workbook"}
	}
	if !utf8.Valid(content) {
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(content)
		if err != nil {
			return nil, &Problem{File: path, Line: 1, Column: 1, Message: "the file is neither UTF-8 nor Windows-1252", Hint: "save it as 'CSV UTF-8'"}
		}
		content = decoded
	}
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(content, []byte("\r"), []byte("\n")), nil
}

// columns that a table may have, in the order of exports.
var columns = []string{"domain", "frontend", "provider", "note", "owner", "tags", "registrar", "expires", "launch", "paused"}

// tableFile reads a CSV file with a header line.
func (l *loader) tableFile(path string) {
	content, ok := l.tableText(path)
	if !ok {
		return
	}
	t := table{l: l, path: path, lines: strings.Split(content, "\n")}
	content, comma := t.separator(content)
	t.reader = csv.NewReader(strings.NewReader(content))
	t.reader.Comma = comma
	t.reader.FieldsPerRecord = -1
	if !t.readHeader() {
		return
	}
	for {
		record, err := t.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			t.row(record)
		}
	}
}

// table is a CSV file that is being read.
type table struct {
	l      *loader
	path   string
	lines  []string // for columns in characters
	reader *csv.Reader
	skip   int      // lines before the header
	header []string // known columns in the file's order
}

// separator takes a leading "sep=;" off, which Excel understands, or counts
// what stands between the words of the header.
func (t *table) separator(content string) (string, rune) {
	first, rest, _ := strings.Cut(content, "\n")
	if s, ok := strings.CutPrefix(first, "sep="); ok && len(s) == 1 && strings.Contains(",;\t", s) {
		t.skip = 1
		return rest, rune(s[0])
	}
	first = strings.TrimLeft(content, "\n")
	first, _, _ = strings.Cut(first, "\n")
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(first, string(c)); n > most {
			best, most = c, n
		}
	}
	return content, best
}

// next reads a record, reporting what is wrong with its notation.
func (t *table) next() ([]string, error) {
	record, err := t.reader.Read()
	var p *csv.ParseError
	if errors.As(err, &p) {
		line := p.Line + t.skip
		t.l.report(Problem{
			File: t.path, Line: line, Column: t.column(line, p.Column),
			Message: "broken CSV: " + p.Err.Error(), Hint: `a field with quotes in it is written "so ""quoted"" then"`,
		})
	}
	return record, err
}

// column turns a column in octets into one in characters.
func (t *table) column(line, octets int) int {
	if line < 1 || line > len(t.lines) {
		return octets
	}
	s := t.lines[line-1]
	return utf8.RuneCountInString(s[:min(max(octets-1, 0), len(s))]) + 1
}

// cell gives field i of the record read last as a value.
func (t *table) cell(i int, key, s string) value {
	line, octets := t.reader.FieldPos(i)
	line += t.skip
	column := t.column(line, octets)
	column += utf8.RuneCountInString(s) - utf8.RuneCountInString(strings.TrimLeft(s, " \u00a0"))
	return t.l.cell(t.path, key, trim(s), line, column)
}

// trim drops blanks, Excel's hard ones too.
func trim(s string) string { return strings.Trim(s, " \t\u00a0") }

func (t *table) readHeader() bool {
	record, err := t.next()
	if err != nil {
		return false
	}
	ok := true
	for i, s := range record {
		name := strings.ToLower(trim(s))
		at := t.cell(i, "", s)
		switch {
		case name == "" && blank(record[i:]):
		case !slices.Contains(columns, name):
			at.fault(fmt.Sprintf("unknown column %q", trim(s)), didYouMean(name, columns))
			ok = false
		case slices.Contains(t.header, name):
			at.fault(fmt.Sprintf("the column %s stands here twice", name), "")
			ok = false
		}
		t.header = append(t.header, name)
	}
	if !slices.Contains(t.header, "domain") {
		t.cell(0, "", record[0]).fault("the first line has no column domain", "the first line names the columns: "+strings.Join(columns, ", "))
		ok = false
	}
	return ok
}

func blank(record []string) bool {
	for _, s := range record {
		if trim(s) != "" {
			return false
		}
	}
	return true
}

// row reads one domain.
func (t *table) row(record []string) {
	if blank(record) {
		return
	}
	*t.l.draft = t.l.newEntry()
	e := t.l.draft
	for i, s := range record {
		if trim(s) == "" {
			continue
		}
		if i >= len(t.header) || t.header[i] == "" {
			t.cell(i, "", s).fault("this field belongs to no column", "put a text that holds the separator in quotes")
			return
		}
		t.field(e, t.cell(i, t.header[i], s))
	}
	if e.name == "" {
		t.cell(0, "", record[0]).fault("the line names no domain", "write it in the column domain")
		return
	}
	t.l.accept(*e)
}

// field reads one field of a row, by the kinds of an entry.
func (t *table) field(e *entry, v value) {
	switch column := v.path; column {
	case "domain":
		e.at, e.name = v, v.node.Value
		e.at.path = ""
	case "tags":
		for s := range strings.FieldsFuncSeq(v.node.Value, func(r rune) bool { return strings.ContainsRune(",;|", r) }) {
			if s = trim(s); s != "" {
				e.tags = append(e.tags, s)
			}
		}
	case "paused":
		v.yesOrNo(&e.paused)
	default:
		e.remember(v)
		f, _ := lookup(t.l.entryTable, column)
		f.kind.read(v)
	}
}

// yesOrNo reads what people, and Excel in Swedish or English, write.
func (v value) yesOrNo(dst *bool) {
	switch strings.ToLower(v.node.Value) {
	case "true", "yes", "ja", "sant", "x", "1":
		*dst = true
	case "false", "no", "nej", "falskt", "0":
		*dst = false
	default:
		v.fault(fmt.Sprintf("takes yes or no, not %q", v.node.Value), "leave it empty for no")
	}
}
