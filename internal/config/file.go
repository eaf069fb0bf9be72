package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readFile returns the settings of the file, by key. A file that somebody
// named must be there; the one in the working directory may be.
func readFile(src Source, env map[string]string) (map[string]value, error) {
	name, where := src.Flags["config"], "--config"
	if name == "" {
		name, where = env[configEnv], configEnv
	}
	named := name != ""
	if !named {
		name = fileName
	}
	text, err := src.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil && named {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parseFile(name, text)
}

// parseFile reads a mapping of settings to scalars. A list is the same as its
// elements with commas between them.
func parseFile(name string, text []byte) (map[string]value, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want settings as `name: value`, one a line", name, top.Line)
	}
	keys := fileKeys()
	values := make(map[string]value)
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, node := top.Content[i], top.Content[i+1]
		at := fmt.Sprintf("%s:%d", name, key.Line)
		if !slices.Contains(keys, key.Value) {
			return nil, fmt.Errorf("%s: %q is no setting: known are %s", at, key.Value, strings.Join(keys, ", "))
		}
		where := at + ": " + key.Value
		if _, twice := values[key.Value]; twice {
			return nil, fmt.Errorf("%s: is set more than once", where)
		}
		text, err := scalar(node)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		values[key.Value] = value{text, where}
	}
	return values, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// scalar returns the text as it stands in the file: an account ID keeps its
// leading zeros.
func scalar(n *yaml.Node) (string, error) {
	switch {
	case isNull(n):
		return "", nil
	case n.Kind == yaml.ScalarNode:
		return n.Value, nil
	case n.Kind != yaml.SequenceNode:
		return "", errors.New("want a plain value or a list of them")
	}
	var parts []string
	for _, element := range n.Content {
		if element.Kind != yaml.ScalarNode || isNull(element) {
			return "", errors.New("want a list of plain values")
		}
		parts = append(parts, element.Value)
	}
	return strings.Join(parts, ","), nil
}
