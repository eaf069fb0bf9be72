package control

import (
	"context"
	"errors"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// Backup copies the whole database while it is worked with. Whoever has the copy
// closes its body. All secrets in it are sealed: without the master key nothing
// opens.
func (c *Control) Backup(ctx context.Context, caller fabric.Caller) (store.Copy, error) {
	if !c.isRoot(caller) {
		return store.Copy{}, &fabric.Error{Kind: fabric.AccessDenied, Message: "Only the root key may call selvedge:Backup: it concerns all accounts."}
	}
	made, err := c.store.Backup(ctx)
	for refusal, message := range map[error]string{
		store.ErrNotSQLite: "The database is PostgreSQL, which has its own way: back it up with pg_dump, and restore it with pg_restore.",
		store.ErrBusy:      "A backup is under way: there is one at a time.",
		store.ErrNoRoom:    "The server's disk has no room for a copy of the database, which is made beside it and removed when it has been sent.",
	} {
		if errors.Is(err, refusal) {
			return store.Copy{}, &fabric.Error{Kind: fabric.Validation, Reason: fabric.ReasonOther, Message: message, Err: err}
		}
	}
	return made, err
}
