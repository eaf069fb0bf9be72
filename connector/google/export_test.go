package google

import "selvedge/connector/mapping"

// Tables are those of the mapping.
func Tables() []mapping.Table { return []mapping.Table{table()} }
