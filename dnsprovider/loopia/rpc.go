package loopia

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"domherre/dnsprovider/zoneio"
)

const (
	address = "https://api.loopia.se/RPCSERV"
	// longest is more than any answer has: a thousand records are 400 KiB.
	longest = 16 << 20
	// window is what Loopia counts calls in; nothing tells how much of it is left.
	window = time.Minute
)

// client calls Loopia by XML-RPC (http://xmlrpc.com/spec.md).
type client struct {
	http    http.Client
	account []any // the first parameters of every call
}

// whole is a whole number, in digits.
type whole string

// object is a struct of XML-RPC.
type object []member

type member struct {
	name  string
	value any // string or whole
}

// value is a value of XML-RPC as it was read.
type value struct {
	Bare    string  `xml:",chardata"`
	String  *string `xml:"string"`
	Int     *string `xml:"int"`
	I4      *string `xml:"i4"`
	Array   *array  `xml:"array"`
	Members []struct {
		Name  string `xml:"name"`
		Value value  `xml:"value"`
	} `xml:"struct>member"`
}

type array struct {
	Values []value `xml:"data>value"`
}

type response struct {
	XMLName xml.Name `xml:"methodResponse"`
	Params  []value  `xml:"params>param>value"`
	Fault   *value   `xml:"fault>value"`
}

func (v value) text() string {
	for _, s := range []*string{v.String, v.Int, v.I4} {
		if s != nil {
			return *s
		}
	}
	return v.Bare
}

func (v value) number() (int64, error) { return strconv.ParseInt(strings.TrimSpace(v.text()), 10, 64) }

func (v value) member(name string) value {
	for _, m := range v.Members {
		if strings.TrimSpace(m.Name) == name {
			return m.Value
		}
	}
	return value{}
}

// do makes a call that answers with a status.
func (c *client) do(ctx context.Context, method string, params ...any) error {
	v, err := c.call(ctx, method, params...)
	if err != nil {
		return err
	}
	if word := strings.TrimSpace(v.text()); word != "OK" {
		return refused(method, word)
	}
	return nil
}

// list makes a call that answers with a list. Of a call that failed, the list
// may be a status instead, or hold one.
func (c *client) list(ctx context.Context, method string, params ...any) ([]value, error) {
	v, err := c.call(ctx, method, params...)
	if err != nil {
		return nil, err
	}
	if v.Array == nil {
		return nil, refused(method, strings.TrimSpace(v.text()))
	}
	if list := v.Array.Values; len(list) != 1 || !known[strings.TrimSpace(list[0].text())] {
		return list, nil
	}
	return nil, refused(method, strings.TrimSpace(v.Array.Values[0].text()))
}

// known are the words of failure that a status may be.
var known = map[string]bool{
	"AUTH_ERROR": true, "RATE_LIMITED": true, "BAD_INDATA": true, "UNKNOWN_ERROR": true, "DOMAIN_OCCUPIED": true, "INSUFFICIENT_FUNDS": true,
}

// call makes a call and gives its one value.
func (c *client) call(ctx context.Context, method string, params ...any) (value, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(encode(method, slices.Concat(c.account, params))))
	if err != nil {
		return value{}, err
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := c.http.Do(req)
	if err != nil {
		return value{}, fmt.Errorf("%s: %w", method, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return value{}, fmt.Errorf("%s: Loopia answers HTTP %s", method, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	if err != nil {
		return value{}, fmt.Errorf("%s: read Loopia's answer: %w", method, err)
	}
	var answer response
	if err := xml.Unmarshal(body, &answer); err != nil {
		// Of a machine before the API, or cut off.
		return value{}, zoneio.As(zoneio.Temporary, fmt.Errorf("%s: Loopia's answer is no XML-RPC: %w", method, err))
	}
	switch {
	case answer.Fault != nil:
		return value{}, refused(method, strings.TrimSpace(answer.Fault.member("faultCode").text())+" "+strings.TrimSpace(answer.Fault.member("faultString").text()))
	case len(answer.Params) != 1:
		return value{}, fmt.Errorf("%s: Loopia's answer has %d values, not one", method, len(answer.Params))
	}
	return answer.Params[0], nil
}

// refused gives a refusal its kind: a status, or the code of a fault and its
// text (https://support.loopia.se/wiki/felkoder/).
func refused(method, what string) error {
	code, _, _ := strings.Cut(what, " ")
	switch err := fmt.Errorf("%s: Loopia answers %s", method, what); code {
	case "AUTH_ERROR", "401":
		return zoneio.As(zoneio.Credentials, err)
	case "RATE_LIMITED", "429":
		return &zoneio.Error{Kind: zoneio.Temporary, RetryAfter: window, Err: err}
	case "":
		return errors.New(method + ": Loopia answers nothing")
	default:
		return err
	}
}

// encode writes a call.
func encode(method string, params []any) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>` + method + `</methodName><params>`)
	for _, p := range params {
		b.WriteString("<param>")
		encodeValue(&b, p)
		b.WriteString("</param>")
	}
	b.WriteString("</params></methodCall>")
	return b.Bytes()
}

func encodeValue(b *bytes.Buffer, v any) {
	b.WriteString("<value>")
	switch v := v.(type) {
	case whole:
		b.WriteString("<int>" + string(v) + "</int>")
	case object:
		b.WriteString("<struct>")
		for _, m := range v {
			b.WriteString("<member><name>" + m.name + "</name>")
			encodeValue(b, m.value)
			b.WriteString("</member>")
		}
		b.WriteString("</struct>")
	default:
		b.WriteString("<string>")
		_ = xml.EscapeText(b, []byte(fmt.Sprint(v))) // a buffer takes everything
		b.WriteString("</string>")
	}
	b.WriteString("</value>")
}
