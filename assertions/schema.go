package assertions

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (2020-12) of flow files, by which editors complete and check them. What stands in
// expressions is beyond it. The caller owns the bytes.
func Schema() []byte { return append([]byte(nil), schema...) }
