package m365

import "selvedge/connector/mapping"

// Tables are those of the mapping.
func Tables() []mapping.Table { return []mapping.Table{auditTable(), signInTable()} }
