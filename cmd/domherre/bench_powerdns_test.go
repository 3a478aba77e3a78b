package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"domherre/dnsprovider/dnstest"
)

// powerFloor speaks to PowerDNS' API: a POST makes a zone with its records, a
// GET reads it. Writes go one at a time, which its SQLite bears best.
type powerFloor struct {
	server *dnstest.Server
	names  []string
	zones  [][]byte // as they are made
	round  int
}

func (f *powerFloor) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, f.server.API+"/api/v1/servers/localhost/zones"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", f.server.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotFound {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, said)
	}
	return said, err
}

// keep notes what it takes to make each zone: its records but the SOA, which
// the server makes.
func (f *powerFloor) keep(ctx context.Context) error {
	f.zones = make([][]byte, len(f.names))
	return abreast(len(f.names), func(i int) error {
		said, err := f.call(ctx, http.MethodGet, "/"+f.names[i]+".", nil)
		if err != nil {
			return err
		}
		var z struct {
			RRsets []map[string]any `json:"rrsets"`
		}
		if err := json.Unmarshal(said, &z); err != nil {
			return err
		}
		var sets []map[string]any
		for _, set := range z.RRsets {
			if set["type"] != "SOA" {
				sets = append(sets, set)
			}
		}
		f.zones[i], err = json.Marshal(map[string]any{"name": f.names[i] + ".", "kind": "Native", "soa_edit_api": "DEFAULT", "rrsets": sets})
		return err
	})
}

func (f *powerFloor) inTurn(do func(i int) error) error {
	for i := range f.names {
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

func (f *powerFloor) empty(ctx context.Context) error {
	return f.inTurn(func(i int) error {
		_, err := f.call(ctx, http.MethodDelete, "/"+f.names[i]+".", nil)
		return err
	})
}

func (f *powerFloor) first(ctx context.Context) error {
	return f.inTurn(func(i int) error {
		_, err := f.call(ctx, http.MethodPost, "", f.zones[i])
		return err
	})
}

func (f *powerFloor) same(ctx context.Context) error {
	return abreast(len(f.names), func(i int) error {
		_, err := f.call(ctx, http.MethodGet, "/"+f.names[i]+".", nil)
		return err
	})
}

func (f *powerFloor) one(ctx context.Context) error {
	f.round++
	patch := fmt.Sprintf(`{"rrsets":[{"name":"raw.%s.","type":"TXT","ttl":300,"changetype":"REPLACE","records":[{"content":"\"%d\""}]}]}`, f.names[0], f.round)
	_, err := f.call(ctx, http.MethodPatch, "/"+f.names[0]+".", []byte(patch))
	return errors.Join(f.same(ctx), err)
}
