package dnsprovider

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCheckSettings(t *testing.T) {
	t.Parallel()
	good := func(change map[string]any) map[string]any {
		m := map[string]any{"server": "127.0.0.1:53", "key_name": "domherre.", "key": "a2V5"}
		for k, v := range change {
			if m[k] = v; v == nil {
				delete(m, k)
			}
		}
		return m
	}
	for _, c := range []struct {
		typ      string
		settings map[string]any
		want     []string // "key: message | hint", a part of each
	}{
		{"rfc2136", good(nil), nil},
		{"rfc2136", good(map[string]any{"key_alg": "hmac-sha512"}), nil},
		{"embedded", nil, nil},
		{"embedded", map[string]any{"allow_transfer": []any{"192.0.2.0/24"}, "contact": "a@kopasex.se"}, nil},
		{"rfc1236", nil, []string{`type: there is no provider type "rfc1236" | write one of embedded, rfc2136`}},
		{"rfc2136", map[string]any{}, []string{"key: rfc2136 needs", "key_name: rfc2136 needs", "server: rfc2136 needs the setting server | the primary"}},
		{"rfc2136", good(map[string]any{"sever": "x"}), []string{`sever: rfc2136 has no setting "sever" | the settings of rfc2136 are server, key_name, key_alg, key`}},
		{"rfc2136", good(map[string]any{"Server": "x:1"}), []string{"server: is set twice"}},
		{"rfc2136", good(map[string]any{"server": "127.0.0.1"}), []string{`server: "127.0.0.1" is no host:port`}},
		{"rfc2136", good(map[string]any{"server": "127.0.0.1:0", "key": "hemlig!", "key_alg": "md5", "key_name": "a..b"}),
			[]string{"key: the secret is not base64", "key_alg: the algorithm", "key_name: the key's name", "server:"}},
		{"rfc2136", good(map[string]any{"key": 12345}), []string{"key: key is a number, not text | put it in quotes"}},
		{"rfc2136", good(map[string]any{"key": ""}), []string{"key: key is empty"}},
		{"rfc2136", good(map[string]any{"key": nil, "server": []any{"x"}}), []string{"key: rfc2136 needs", "server: server is a list, not text"}},
		{"embedded", map[string]any{"allow_transfer": "192.0.2.1"}, []string{"allow_transfer: allow_transfer is text, not a list of strings | write it like"}},
		{"embedded", map[string]any{"allow_transfer": []any{1}}, []string{"allow_transfer: "}},
		{"embedded", map[string]any{"allow_transfer": []any{"kopasex.se"}}, []string{"allow_transfer: "}},
	} {
		faults := CheckSettings(c.typ, c.settings)
		if len(faults) != len(c.want) {
			t.Errorf("%s %v: %v, not %v", c.typ, c.settings, faults, c.want)
			continue
		}
		for i, f := range faults {
			if got := f.Key + ": " + f.Message + " | " + f.Hint; !strings.Contains(got, c.want[i]) || strings.Contains(got, "hemlig") {
				t.Errorf("%s %v: %s, not %s", c.typ, c.settings, got, c.want[i])
			}
		}
	}
}

// Values come as YAML gives them.
func TestDecodeKinds(t *testing.T) {
	t.Parallel()
	type settings struct {
		Text   string        `json:"text"`
		On     bool          `json:"on"`
		Small  int8          `json:"small"`
		Count  uint32        `json:"count"`
		Share  float64       `json:"share"`
		Pause  time.Duration `json:"pause"`
		List   []string      `json:"list"`
		Hidden string        `json:"-"`
		Other  chan int      `json:"other"`
	}
	r := typed(Type{Name: "x"}, func(settings, Config, Deps) (any, error) { return nil, nil }, nil)
	got, faults := decode(r, map[string]any{
		"text": "a", "on": true, "small": -3, "count": uint64(7), "share": 1, "pause": "1m30s", "list": []any{"a", "b"},
	})
	want := settings{Text: "a", On: true, Small: -3, Count: 7, Share: 1, Pause: 90 * time.Second, List: []string{"a", "b"}}
	if len(faults) > 0 || fmt.Sprint(*got.(*settings)) != fmt.Sprint(want) {
		t.Errorf("got %+v, %v", got, faults)
	}
	for key, bad := range map[string][]any{
		"text": {1, true, nil, []any{}}, "on": {"true", 1, nil}, "small": {200, 1.5, "1", nil}, "count": {-1, 1 << 40},
		"share": {"x"}, "pause": {"x", 30, nil}, "list": {"a", []any{1}, nil}, "other": {1}, "-": {1}, "hidden": {1},
	} {
		for _, value := range bad {
			if _, faults := decode(r, map[string]any{key: value}); len(faults) != 1 || faults[0].Key != key {
				t.Errorf("%s: %v gives %v", key, value, faults)
			}
		}
	}
}

// The reference tells about every type.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, typ := range Types() {
		if typ.Home == "" || typ.Summary == "" || typ.Limits.Concurrency == 0 || typ.Limits.Timeout == 0 || typ.Limits.Retries == 0 {
			t.Errorf("%s is incomplete: %+v", typ.Name, typ)
		}
		for _, s := range typ.Settings {
			if s.Key == "" || s.Kind == "" || s.Doc == "" || s.Required && s.Example == "" {
				t.Errorf("%s: the setting %s is incomplete: %+v", typ.Name, s.Key, s)
			}
			if !strings.Contains(typ.Example(), s.Key+": ") {
				t.Errorf("%s: the example lacks %s", typ.Name, s.Key)
			}
		}
	}
}

func TestOpenTellsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := Open([]Config{
		{Name: "a", Type: "nothing"},
		{Name: "b", Type: "embedded"},
		{Name: "c", Type: "rfc2136", Settings: map[string]any{"server": "x"}},
	}, Deps{})
	for _, want := range []string{"provider a: there is no", "provider b: ", "provider c: key: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}
