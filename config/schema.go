package config

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// Names of the schemas, beside the files that they describe.
const (
	MainSchema    = "domherre.schema.json"
	DomainsSchema = "domains.schema.json"
)

// Schemas gives the JSON Schemas (draft 2020-12) of the two kinds of YAML
// files, by file name, for editors. They come from the tables that decode the
// files, so that both always know the same keys.
func Schemas() map[string][]byte {
	main := objectSchema(tables(&loader{}))
	main["title"] = "domherre.yaml"
	element := objectSchema(entryFields(&entry{}))
	element["required"] = []string{"name"}
	domains := schema{
		"title": "A domain file of Domherre", "type": "object", "additionalProperties": false,
		"required": []string{"domains"},
		"properties": schema{"domains": schema{
			"type": "array", "minItems": 1, "description": "The domains: names, or mappings where one differs from the others.",
			"items": schema{"oneOf": []schema{{"type": "string"}, element}},
		}},
	}
	return map[string][]byte{MainSchema: encodeSchema(main), DomainsSchema: encodeSchema(domains)}
}

func encodeSchema(s schema) []byte {
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("config: a schema can't be encoded: " + err.Error()) // its parts are literals of this package
	}
	return append(b, '\n')
}

// objectSchema is the JSON Schema of a mapping with these keys.
func objectSchema(fields []field) schema {
	properties := schema{}
	for _, f := range fields {
		properties[f.key] = f.jsonSchema()
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// jsonSchema is the schema of one key.
func (f field) jsonSchema() schema {
	out := schema{"description": f.doc}
	if f.sub != nil {
		for k, v := range objectSchema(f.sub) {
			out[k] = v
		}
		out["type"] = []string{"object", "null"} // all of it may be commented out
		return out
	}
	for k, v := range f.kind.schema {
		out[k] = v
	}
	var def any
	if f.def != "" && yaml.Unmarshal([]byte(f.def), &def) == nil {
		out["default"] = def
	}
	return out
}
