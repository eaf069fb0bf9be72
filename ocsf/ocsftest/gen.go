//go:build ignore

// Command gen writes schema-1.1.0.json, the part of OCSF 1.1.0 that Validate
// needs, from the schema export in the module github.com/valllabh/ocsf-schema-golang.
//
//	go run gen.go
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	module = "github.com/valllabh/ocsf-schema-golang@v1.0.3"
	out    = "schema-1.1.0.json"
)

// classes are those that mappings use.
var classes = []string{
	"base_event", "detection_finding", "account_change", "authentication", "authorize_session", "entity_management", "user_access",
	"group_management", "web_resources_activity", "application_lifecycle", "api_activity", "web_resource_access_activity", "file_hosting",
}

// The export.
type (
	export struct {
		Version    string
		Classes    map[string]class
		Objects    map[string]class
		Categories struct {
			Attributes map[string]struct {
				Caption string
				UID     int
			}
		}
	}
	class struct {
		Name, Caption, Category, Extends string
		UID                              int
		Attributes                       map[string]*attribute
		Constraints                      *constraints
	}
	attribute struct {
		Type, Requirement, Sibling, Profile string
		ObjectType                          string `json:"object_type"`
		IsArray                             bool   `json:"is_array"`
		Enum                                map[string]struct{ Caption string }
	}
	constraints struct {
		AtLeastOne []string `json:"at_least_one"`
		JustOne    []string `json:"just_one"`
	}
)

// What is written; the same shapes are in schema.go.
type (
	schema struct {
		Version string           `json:"version"`
		Classes map[string]*kind `json:"classes"`
		Objects map[string]*kind `json:"objects"`
	}
	kind struct {
		UID          int              `json:"uid,omitempty"`
		Caption      string           `json:"caption,omitempty"`
		CategoryUID  int              `json:"category_uid,omitempty"`
		CategoryName string           `json:"category_name,omitempty"`
		Attributes   map[string]*attr `json:"attributes"`
		AtLeastOne   []string         `json:"at_least_one,omitempty"`
		JustOne      []string         `json:"just_one,omitempty"`
	}
	attr struct {
		Type     string            `json:"type"`
		Object   string            `json:"object,omitempty"`
		Array    bool              `json:"array,omitempty"`
		Required bool              `json:"required,omitempty"`
		Profile  string            `json:"profile,omitempty"`
		Sibling  string            `json:"sibling,omitempty"`
		Enum     map[string]string `json:"enum,omitempty"`
	}
)

// The export has lost the constraints of classes, and what an object inherits
// from the one that it extends. The schema's own text:
// https://github.com/ocsf/ocsf-schema/tree/v1.1.0 (checked 2026-11-22).
var (
	ofClass = map[string]constraints{
		"authentication":    {AtLeastOne: []string{"dst_endpoint", "service"}},
		"authorize_session": {JustOne: []string{"group", "privileges"}},
		"group_management":  {AtLeastOne: []string{"privileges", "user"}},
	}
	inheritedOne = map[string][]string{
		"_entity":  {"name", "uid"},
		"endpoint": {"ip", "uid", "name", "hostname", "instance_uid", "interface_uid", "interface_name"},
	}
	ownOne = map[string][]string{
		"network_proxy": {"ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name"},
		"firewall_rule": {"name", "uid"}, "resource_details": {"name", "uid"}, "web_resource": {"name", "uid"},
	}
	alsoRequired = map[string][]string{
		"device": {"type_id"}, "file": {"name"}, "image": {"uid"}, "extension": {"name", "uid"},
	}
)

func main() {
	log.SetFlags(0)
	in, err := read()
	if err != nil {
		log.Fatal(err)
	}
	s := schema{Version: in.Version, Classes: map[string]*kind{}, Objects: map[string]*kind{}}
	categories := map[string]string{"": ""}
	for name, c := range in.Categories.Attributes {
		categories[name] = c.Caption
	}
	for _, name := range classes {
		c := in.Classes[name]
		k := convert(c)
		k.Caption, k.CategoryName = c.Caption, categories[c.Category]
		if c.Category == "other" || k.CategoryName == "" {
			k.CategoryName = "Uncategorized"
		}
		k.CategoryUID = in.Categories.Attributes[c.Category].UID
		k.UID = k.CategoryUID*1000 + c.UID
		// Required of the base event, and lost in those that extend it.
		k.Attributes["activity_id"].Required = true
		k.AtLeastOne, k.JustOne = ofClass[name].AtLeastOne, ofClass[name].JustOne
		s.Classes[fmt.Sprint(k.UID)] = k
		s.collect(in, k)
	}
	b, err := json.Marshal(s)
	if err != nil {
		log.Fatal(err)
	}
	// One line for each class and object, so that a change can be read.
	b = bytes.ReplaceAll(b, []byte(`"attributes":`), []byte("\n\"attributes\":"))
	if err := os.WriteFile(out, append(b, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}

func read() (export, error) {
	var e export
	b, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		return e, fmt.Errorf("go mod download %s: %w", module, err)
	}
	var where struct{ Dir string }
	if err := json.Unmarshal(b, &where); err != nil {
		return e, err
	}
	b, err = os.ReadFile(filepath.Join(where.Dir, "schema", "v1.1-schema.json"))
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(b, &e)
}

// collect adds the objects that k's attributes are made of.
func (s *schema) collect(in export, k *kind) {
	for _, a := range k.Attributes {
		if a.Object == "" || s.Objects[a.Object] != nil {
			continue
		}
		o := in.Objects[a.Object]
		sub := convert(o)
		if sub.AtLeastOne == nil {
			sub.AtLeastOne = inheritedOne[o.Extends]
		}
		if one, ok := ownOne[a.Object]; ok {
			sub.AtLeastOne = one
		}
		for _, name := range alsoRequired[a.Object] {
			sub.Attributes[name].Required = true
		}
		s.Objects[a.Object] = sub
		s.collect(in, sub)
	}
}

func convert(c class) *kind {
	k := &kind{Attributes: map[string]*attr{}}
	if c.Constraints != nil {
		k.AtLeastOne, k.JustOne = c.Constraints.AtLeastOne, c.Constraints.JustOne
	}
	slices.Sort(k.AtLeastOne)
	for name, a := range c.Attributes {
		if a == nil {
			continue
		}
		v := &attr{Type: a.Type, Object: a.ObjectType, Array: a.IsArray, Required: a.Requirement == "required", Profile: a.Profile, Sibling: a.Sibling}
		for id, e := range a.Enum {
			if v.Enum == nil {
				v.Enum = map[string]string{}
			}
			v.Enum[id] = e.Caption
		}
		k.Attributes[name] = v
	}
	return k
}
