package config

// field is a key that a mapping may have. The same tables decode the files,
// name the variables and flags, and become the JSON Schemas.
type field struct {
	key  string
	doc  string  // for people who meet it in their editor
	def  string  // the default as it would be written; "" for none
	kind kind    // reads a leaf
	sub  []field // of a section, in place of kind
}

// kind is a type of value: how it is read, and its JSON Schema.
type kind struct {
	read   func(value)
	schema schema
}

// section is a field that holds further fields.
func section(key, doc string, sub ...field) field { return field{key: key, doc: doc, sub: sub} }

// leaf is a field with a value.
func leaf(key string, k kind, def, doc string) field {
	return field{key: key, doc: doc, def: def, kind: k}
}

// mapping reads v by a table, refusing every other key.
func (v value) mapping(fields []field) {
	v.walk(fields, func(f field, got value) { f.kind.read(got) })
}

// walk gives each leaf of v, through its sections, to visit.
func (v value) walk(fields []field, visit func(field, value)) {
	keys, values, _ := v.pairs()
	for i, k := range keys {
		f, ok := lookup(fields, k.node.Value)
		switch {
		case !ok:
			k.fault("unknown key "+k.node.Value, didYouMean(k.node.Value, fieldKeys(fields)))
		case f.sub != nil:
			values[i].walk(f.sub, visit)
		default:
			visit(f, values[i])
		}
	}
}

// leaves gives every leaf of a table with its path.
func leaves(prefix string, fields []field, visit func(path string, f field)) {
	for _, f := range fields {
		path := prefix + f.key
		if f.sub != nil {
			leaves(path+".", f.sub, visit)
			continue
		}
		visit(path, f)
	}
}

func lookup(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func fieldKeys(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.key
	}
	return out
}
