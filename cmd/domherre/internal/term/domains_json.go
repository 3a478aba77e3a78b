package term

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// WriteDomains writes what Term.JSON would of doc, whose list "domains" is empty,
// with n domains in that list. It encodes them one at a time: the text of
// thousands is megabytes, several times over.
func WriteDomains(w io.Writer, doc any, n int, domain func(int) any) error {
	const place = `"domains": [`
	frame, err := indented(doc, "")
	if err != nil {
		return err
	}
	head, tail, found := bytes.Cut(frame, []byte(place))
	if !found {
		return fmt.Errorf("%T has no list of domains", doc)
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s%s", head, place)
	separator, end := "\n    ", ""
	for i := range n {
		text, err := indented(domain(i), "    ")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s%s", separator, text)
		separator, end = ",\n    ", "\n  "
	}
	fmt.Fprintf(out, "%s%s\n", end, tail)
	return out.Flush()
}

// indented is JSON whose lines but the first begin with prefix.
func indented(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
