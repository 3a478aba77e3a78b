// Package wire opens the rooms that a configuration describes, and fits them
// together: each room declares what it needs as a small interface of its own.
package wire

import (
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"domherre/config"
	"domherre/dnsprovider"
	"domherre/portfolio"
)

// LoadOptions lets config check what only other rooms know.
func LoadOptions(env func(string) (string, bool), flags *pflag.FlagSet) config.Options {
	return config.Options{Types: checkSettings, Facts: settingsFacts, TypeNames: typeNames(), Notify: checkNotify, Env: env, Flags: flags}
}

func checkSettings(typ string, settings map[string]any) []config.SettingFault {
	var faults []config.SettingFault
	for _, f := range dnsprovider.CheckSettings(typ, settings) {
		faults = append(faults, config.SettingFault{Key: f.Key, Message: f.Message, Hint: f.Hint})
	}
	return faults
}

func settingsFacts(typ string, settings map[string]any) portfolio.Facts {
	t, _ := dnsprovider.TypeWith(typ, settings)
	return typeFacts(t)
}

func typeNames() []string {
	var names []string
	for _, t := range dnsprovider.Types() {
		names = append(names, t.Name)
	}
	return names
}

// Logger writes the log as the config says, with every secret of the config
// taken out of it.
func Logger(w io.Writer, cfg *config.Config, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	w = redactor{w, cfg}
	if cfg.Log.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// redactor takes secrets out of whole log lines: slog's handlers write a line
// at a time.
type redactor struct {
	w   io.Writer
	cfg *config.Config
}

func (r redactor) Write(line []byte) (int, error) {
	if _, err := io.WriteString(r.w, r.cfg.Redact(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
