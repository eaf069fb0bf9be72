package ocsftest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"sync"
)

//go:embed schema-1.1.0.json
var schemaJSON []byte

// schema is the part of the export that gen.go keeps.
type schema struct {
	Version string           `json:"version"`
	Classes map[string]*kind `json:"classes"`
	Objects map[string]*kind `json:"objects"`
}

// kind is a class or an object.
type kind struct {
	UID          int              `json:"uid"`
	Caption      string           `json:"caption"`
	CategoryUID  int              `json:"category_uid"`
	CategoryName string           `json:"category_name"`
	Attributes   map[string]*attr `json:"attributes"`
	AtLeastOne   []string         `json:"at_least_one"`
	JustOne      []string         `json:"just_one"`
}

type attr struct {
	Type     string            `json:"type"`
	Object   string            `json:"object"`
	Array    bool              `json:"array"`
	Required bool              `json:"required"`
	Profile  string            `json:"profile"`
	Sibling  string            `json:"sibling"`
	Enum     map[string]string `json:"enum"`
}

var loaded = sync.OnceValue(func() *schema {
	s := new(schema)
	if err := json.Unmarshal(schemaJSON, s); err != nil {
		panic(fmt.Sprintf("ocsftest: %v", err))
	}
	return s
})

// form is what a type of string must look like.
type form struct {
	maxLen int // characters; 0: any
	valid  func(string) bool
}

// forms are the types of strings; the export has lost what the dictionary says
// of them: https://schema.ocsf.io/1.1.0/data_types (checked 2026-11-22).
var forms = sync.OnceValue(func() map[string]form {
	match := func(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }
	anything := func(string) bool { return true }
	return map[string]form{
		"string_t":   {65535, anything},
		"hostname_t": {0, match(`^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])$`)},
		"email_t":    {0, match(`^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$`)},
		"mac_t":      {32, match(`^([0-9A-Fa-f]{2}[:-]){5}([0-9A-Fa-f]{2})$`)},
		"uuid_t":     {0, match(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)},
		"url_t":      {0, anything},
		"subnet_t":   {42, anything},
		"ip_t": {40, func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && a.Zone() == ""
		}},
	}
})
