package check

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// sentence names an entry of the catalogue.
type sentence string

// line is a finding with its advice. {word} is filled in.
type line struct{ finding, advice string }

// translated is one text in every language.
type translated struct{ sv, en line }

// phrase is a short text in every language.
type phrase struct{ sv, en string }

// words are what is filled into a sentence: strings, phrases or errors.
type words map[string]any

// errUnknownIssuer stands for the library's error, whose text is for
// programmers.
var errUnknownIssuer = errors.New("unknown issuer")

// in words a sentence in a language: Swedish for "sv", else English.
func (s sentence) in(language string, with words) (finding, advice string) {
	text := catalogue[s].en
	if language == swedish {
		text = catalogue[s].sv
	}
	var pairs []string
	for name, value := range with {
		pairs = append(pairs, "{"+name+"}", spell(language, value))
	}
	fill := strings.NewReplacer(pairs...)
	return fill.Replace(text.finding), fill.Replace(text.advice)
}

const swedish = "sv"

func (p phrase) in(language string) string {
	if language == swedish {
		return p.sv
	}
	return p.en
}

// spell writes one of words' values.
func spell(language string, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case reported:
		return Reason(language, string(v))
	case phrase:
		return v.in(language)
	case error:
		return cause(language, v)
	}
	return fmt.Sprint(value)
}

// because is the reason that a resolver gave, where it gave one.
func because(extended []string) any {
	if len(extended) == 0 {
		return noReason
	}
	return strings.TrimSuffix(extended[0], ".")
}

// cause words an error: the usual ones plainly, others as they are.
func cause(language string, err error) string {
	var timeout net.Error
	var remote *net.OpError
	var names x509.HostnameError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return phrase{"inget svar i tid", "no answer in time"}.in(language)
	case errors.Is(err, syscall.ECONNREFUSED):
		return phrase{"anslutningen nekades", "connection refused"}.in(language)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return phrase{"adressen nås inte härifrån", "the address can't be reached from here"}.in(language)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed):
		return phrase{"anslutningen bröts", "the connection was cut"}.in(language)
	case errors.Is(err, errUnknownIssuer):
		return phrase{"utfärdaren är okänd", "unknown issuer"}.in(language)
	case errors.As(err, &names):
		return phrase{"certifikatet gäller andra namn", "the certificate is for other names"}.in(language)
	case errors.As(err, &remote) && remote.Op == "remote error": // an alert, by crypto/tls
		return phrase{"servern har inget certifikat för namnet", "the server has no certificate for the name"}.in(language)
	}
	return Reason(language, strings.TrimSuffix(err.Error(), "."))
}

// Title gives the name of a check in a language.
func Title(language, check string) string {
	if language == swedish {
		if word, ok := swedishTitles[check]; ok {
			return word
		}
	}
	return check
}
