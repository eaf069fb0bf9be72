package control

import (
	"context"

	"selvedge/internal/fabric"
)

// StartUserAccessTasks refuses: this server has no user access tasks.
func (c *Control) StartUserAccessTasks(ctx context.Context, caller fabric.Caller, bundle, _ string) error {
	return c.noUserAccess(ctx, caller, bundle)
}

// BatchGetUserAccessTasks refuses: this server has no user access tasks.
func (c *Control) BatchGetUserAccessTasks(ctx context.Context, caller fabric.Caller, bundle string, _ []string) error {
	return c.noUserAccess(ctx, caller, bundle)
}

func (c *Control) noUserAccess(ctx context.Context, caller fabric.Caller, bundle string) error {
	if _, _, err := c.openBundle(ctx, caller, bundle); err != nil {
		return err
	}
	return fabric.Invalid("User access tasks are not available on this server yet.")
}
