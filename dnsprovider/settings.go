package dnsprovider

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// SettingFault is what is wrong with one setting.
type SettingFault struct {
	Key     string // as written; "type" for the type itself
	Message string
	Hint    string // what to write instead; may be empty
}

// CheckSettings checks the settings of an entry under providers: without asking
// anybody. It gives every fault at once, sorted by key.
func CheckSettings(typ string, settings map[string]any) []SettingFault {
	table := rows()
	i := slices.IndexFunc(table, func(r row) bool { return r.Name == typ })
	if i < 0 {
		return []SettingFault{unknownType(typ, table)}
	}
	_, faults := decode(table[i], settings)
	return faults
}

func unknownType(typ string, table []row) SettingFault {
	var names []string
	for _, r := range table {
		names = append(names, r.Name)
	}
	return SettingFault{
		Key: "type", Message: fmt.Sprintf("there is no provider type %q", typ),
		Hint: "write one of " + strings.Join(names, ", "),
	}
}

// decode fills the type's settings, strictly: every fault is found at once.
func decode(r row, settings map[string]any) (any, []SettingFault) {
	dst := r.settings()
	known, fields := r.known(dst)
	var faults []SettingFault
	given := make(map[string]bool)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		i := slices.IndexFunc(known, func(s Setting) bool { return strings.EqualFold(s.Key, key) })
		switch {
		case i < 0:
			faults = append(faults, SettingFault{key, fmt.Sprintf("%s has no setting %q", r.Name, key), knows(r.Name, known)})
		case given[known[i].Key]:
			faults = append(faults, SettingFault{key, "is set twice", "write it once, as " + known[i].Key})
		default:
			given[known[i].Key] = true
			if f := assign(fields[i], known[i], settings[key]); f != nil {
				f.Key = key
				faults = append(faults, *f)
			}
		}
	}
	for _, s := range known {
		if s.Required && !given[s.Key] {
			faults = append(faults, SettingFault{s.Key, fmt.Sprintf("%s needs the setting %s", r.Name, s.Key), s.Doc})
		}
	}
	if r.check != nil && len(faults) == 0 {
		for key, err := range r.check(dst) {
			faults = append(faults, SettingFault{Key: key, Message: err.Error()})
		}
	}
	slices.SortStableFunc(faults, func(a, b SettingFault) int { return strings.Compare(a.Key, b.Key) })
	return dst, faults
}

func knows(typ string, known []Setting) string {
	if len(known) == 0 {
		return typ + " has no settings"
	}
	var keys []string
	for _, s := range known {
		keys = append(keys, s.Key)
	}
	return "the settings of " + typ + " are " + strings.Join(keys, ", ")
}

// assign sets a field from a value as YAML or JSON gave it.
func assign(field reflect.Value, s Setting, value any) *SettingFault {
	want := &SettingFault{Message: fmt.Sprintf("%s is %s, not %s", s.Key, kindOfValue(value), article(s.Kind))}
	if s.Example != "" {
		want.Hint = "write it like " + s.Example
	}
	switch {
	case field.Type() == reflect.TypeFor[time.Duration]():
		text, ok := value.(string)
		d, err := time.ParseDuration(text)
		if !ok || err != nil {
			want.Hint = "write it like 30s or 5m"
			return want
		}
		field.SetInt(int64(d))
		return nil
	case field.Kind() == reflect.String:
		text, ok := value.(string)
		if !ok {
			want.Hint = "put it in quotes: a number would lose its leading zeros"
			return want
		}
		if s.Required && text == "" {
			return &SettingFault{Message: s.Key + " is empty", Hint: want.Hint}
		}
		field.SetString(text)
		return nil
	case field.Kind() == reflect.Bool:
		b, ok := value.(bool)
		if !ok {
			want.Hint = "write true or false"
			return want
		}
		field.SetBool(b)
		return nil
	case field.Kind() == reflect.Slice:
		return assignList(field, value, want)
	}
	return assignNumber(field, value, want)
}

func assignList(field reflect.Value, value any, want *SettingFault) *SettingFault {
	list, ok := value.([]any)
	if texts, isTexts := value.([]string); isTexts {
		for _, text := range texts {
			list = append(list, text)
		}
		ok = true
	}
	if !ok {
		want.Hint = "write it like [one, two]"
		return want
	}
	var out []string
	for _, item := range list {
		text, isText := item.(string)
		if !isText {
			want.Hint = "put every item in quotes"
			return want
		}
		out = append(out, text)
	}
	field.Set(reflect.ValueOf(out))
	return nil
}

func assignNumber(field reflect.Value, value any, want *SettingFault) *SettingFault {
	v := reflect.ValueOf(value)
	var f float64
	switch {
	case value == nil:
		return want
	case v.CanInt():
		f = float64(v.Int())
	case v.CanUint():
		f = float64(v.Uint())
	case v.CanFloat():
		f = v.Float()
	default:
		return want
	}
	switch {
	case field.CanFloat():
		field.SetFloat(f)
	case f != math.Trunc(f) || math.Abs(f) > 1<<53:
		return want
	case field.CanUint():
		if f < 0 || field.OverflowUint(uint64(f)) {
			want.Message = fmt.Sprintf("%v is out of range", value)
			return want
		}
		field.SetUint(uint64(f))
	default:
		if field.OverflowInt(int64(f)) {
			want.Message = fmt.Sprintf("%v is out of range", value)
			return want
		}
		field.SetInt(int64(f))
	}
	return nil
}

// settingsOf reads the settings from the tags of a struct: json names them; doc,
// default, example, required and secret tell about them.
func settingsOf(dst any) []Setting {
	var out []Setting
	t := reflect.TypeOf(dst).Elem()
	for i := range t.NumField() {
		key := keyOf(t.Field(i))
		if key == "" {
			continue
		}
		tag := t.Field(i).Tag
		out = append(out, Setting{
			Key: key, Kind: kindOf(t.Field(i).Type), Doc: tag.Get("doc"), Default: tag.Get("default"),
			Example: tag.Get("example"), Required: tag.Get("required") == "true", Secret: tag.Get("secret") == "true",
		})
	}
	return out
}

// fieldsOf gives the fields of the settings, in the order of settingsOf.
func fieldsOf(dst any) []reflect.Value {
	var out []reflect.Value
	v := reflect.ValueOf(dst).Elem()
	for i := range v.NumField() {
		if keyOf(v.Type().Field(i)) != "" {
			out = append(out, v.Field(i))
		}
	}
	return out
}

// keyOf gives the key of a field: its JSON name, or the field's own in lower
// case, as api_token is of APIToken, where some modules forgot that.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() || key == "-" || kindOf(f.Type) == "" {
		return ""
	}
	if key == "" {
		return strings.ToLower(wordStart.ReplaceAllString(f.Name, "${1}_${2}"))
	}
	return key
}

var wordStart = regexp.MustCompile(`([a-z0-9]|[A-Z])([A-Z][a-z])`)

func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t == reflect.TypeFor[[]string]():
		return "list of strings"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int"
	}
	return ""
}

// kindOfValue names what was written, never showing it: it may be a secret.
func kindOfValue(value any) string {
	switch value.(type) {
	case nil:
		return "empty"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any, []string:
		return "a list"
	case map[string]any, map[any]any:
		return "a mapping"
	}
	return "a number"
}

func article(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	}
	return "a " + kind
}
