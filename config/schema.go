package config

// objectSchema is the JSON Schema of a mapping with these keys.
func objectSchema(fields []field) schema {
	properties := schema{}
	for _, f := range fields {
		s := schema{}
		if f.sub != nil {
			s = objectSchema(f.sub)
		}
		for k, v := range f.kind.schema {
			s[k] = v
		}
		if f.doc != "" {
			s["description"] = f.doc
		}
		properties[f.key] = s
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}
