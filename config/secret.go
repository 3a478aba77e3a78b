package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

// hidden is what stands in print for a secret.
const hidden = "[secret]"

// shortestSecret is the length from which a value is taken out of texts.
// Shorter ones would tear holes into every sentence and are no secrets.
const shortestSecret = 4

// Secret is a string that never prints: fmt, encoding/json and log/slog all
// show "[secret]", or nothing where it is empty.
type Secret struct {
	value *string // a pointer, which prints as one inside unexported fields, where fmt asks no methods
}

// newSecret wraps s.
func newSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal gives the secret itself, for where it is used.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.value == nil }

// String hides the secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// Format hides the secret under every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Settings are the settings of a provider: strings, numbers (int, float64),
// truth values, []any and map[string]any. They print by their keys alone.
type Settings map[string]any

// String gives the keys, sorted.
func (s Settings) String() string {
	keys := make([]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return "{" + strings.Join(keys, " ") + "}"
}

// Format hides the values under every verb.
func (s Settings) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalJSON hides the values.
func (s Settings) MarshalJSON() ([]byte, error) {
	out := make(map[string]string, len(s))
	for k := range s {
		out[k] = hidden
	}
	return json.Marshal(out)
}

// LogValue hides the values.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Location names a store: the path of a folder, or a postgres:// URL. It
// prints without the URL's password; string(l) is the whole of it.
type Location string

// String hides the password.
func (l Location) String() string {
	if u, err := url.Parse(string(l)); err == nil && u.Scheme != "" && u.Host != "" {
		return u.Redacted()
	}
	return string(l)
}

// Format hides the password under every verb.
func (l Location) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(l.String())) }

// MarshalText hides the password.
func (l Location) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// LogValue hides the password.
func (l Location) LogValue() slog.Value { return slog.StringValue(l.String()) }

// secrets are all values that must not be seen, longest first.
type secrets struct{ values []string }

// add remembers v and the forms that it takes inside URLs and JSON.
func (s *secrets) add(v string) {
	for _, form := range []string{v, strings.TrimSpace(v), url.QueryEscape(v), url.PathEscape(v), jsonForm(v)} {
		if len(form) >= shortestSecret && !slices.Contains(s.values, form) {
			s.values = append(s.values, form)
		}
	}
	slices.SortStableFunc(s.values, func(a, b string) int { return len(b) - len(a) })
}

func jsonForm(v string) string {
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return strings.Trim(string(b), `"`)
}

// redact takes every secret out of text.
func (s secrets) redact(text string) string {
	for _, v := range s.values {
		text = strings.ReplaceAll(text, v, hidden)
	}
	return text
}

// Redact takes every secret of the configuration out of a text, such as the
// error of a provider or a line of a log.
func (c *Config) Redact(text string) string {
	if c.redact == nil {
		return text
	}
	return c.redact(text)
}

// String names the configuration without its content.
func (c *Config) String() string {
	return fmt.Sprintf("config %s (%d domains)", c.Path, len(c.Portfolio.Domains))
}

// Format prints what String gives, under every verb.
func (c *Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// LogValue logs what String gives.
func (c *Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
