package dnsprovider

import (
	"reflect"
	"slices"

	"github.com/libdns/libdns"
)

// keeper is what a libdns module must do to keep zones.
type keeper interface {
	libdns.RecordGetter
	libdns.RecordAppender
	libdns.RecordDeleter
}

// module makes a row of a libdns module, whose provider S has its settings as
// fields. Those named in settings can be set, by their JSON names: the kinds
// come from the struct, all else from here.
func module[S any, P interface {
	*S
	keeper
}](t Type, how strategy, settings ...Setting) row {
	t.Settings = settings
	return row{
		Type:     t,
		how:      how,
		module:   true,
		settings: func() any { return new(S) },
		open:     func(settings any, _ Config, _ Deps) (any, error) { return settings, nil },
	}
}

// known gives the settings of the type, each with its field in dst.
func (r row) known(dst any) ([]Setting, []reflect.Value) {
	found, fields := settingsOf(dst), fieldsOf(dst)
	if r.Type.Settings == nil {
		return found, fields
	}
	var settings []Setting
	var places []reflect.Value
	for _, s := range r.Type.Settings {
		i := slices.IndexFunc(found, func(f Setting) bool { return f.Key == s.Key })
		if i < 0 {
			continue // a test sees to it that there is none
		}
		s.Kind = found[i].Kind
		settings, places = append(settings, s), append(places, fields[i])
	}
	return settings, places
}

// need and may are a setting that must be given, and one that may be.
func need(key, doc, example string) Setting {
	return Setting{Key: key, Doc: doc, Example: example, Required: true}
}

func may(key, doc, example string) Setting { return Setting{Key: key, Doc: doc, Example: example} }

// secret marks a setting that nobody may see.
func (s Setting) secret() Setting {
	s.Secret = true
	return s
}

// weights are how many HTTP requests a type makes: to read a zone; to write to it
// at all; for each call that it is written by; for each record that is written.
// Without them it makes one to read and one for each record.
type weights struct{ read, zone, call, record int }

func (r row) weighs(w weights) row {
	r.weights = w
	return r
}

// callByCall marks a module whose HTTP requests the limits can't tell apart: it
// has a client of its own, or drops its context.
func (r row) callByCall() row {
	r.byCall, r.weights = true, weights{read: 1, call: 1}
	r.Cannot = append(r.Cannot, "limits and counts are by calls, each of one request or more")
	return r
}

// through puts something between the adapter and the module.
func (r row) through(wrap func(impl any) any) row {
	open := r.open
	r.open = func(settings any, cfg Config, d Deps) (any, error) {
		impl, err := open(settings, cfg, d)
		if err != nil {
			return nil, err
		}
		return wrap(impl), nil
	}
	return r
}

// defaulted changes the settings that were given before the module sees them.
func defaulted[S any](r row, change func(*S)) row {
	open := r.open
	r.open = func(settings any, cfg Config, d Deps) (any, error) {
		change(settings.(*S))
		return open(settings, cfg, d)
	}
	return r
}
