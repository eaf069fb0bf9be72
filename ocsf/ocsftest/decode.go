package ocsftest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// decode reads one JSON value. Members of one name and nulls are violations.
func (v *validator) decode(line []byte) (value any, ok bool) {
	if !json.Valid(line) {
		v.wrong("", "is no JSON")
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	value, err := v.read(d, "")
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return value, true
		}
		err = errors.New("something follows it")
	}
	v.wrong("", "is no JSON: %v", err)
	return nil, false
}

func (v *validator) read(d *json.Decoder, path string) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case nil:
		v.wrong(path, "is null")
		return nil, nil
	case json.Delim('{'):
		o := map[string]any{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := fmt.Sprint(k)
			if _, twice := o[name]; twice {
				v.wrong(join(path, name), "is there twice")
			}
			if o[name], err = v.read(d, join(path, name)); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			one, err := v.read(d, path)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		_, err = d.Token()
		return list, err
	default:
		return t, nil
	}
}
