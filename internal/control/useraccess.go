package control

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// StartUserAccessTasks starts the search for a user in each tenant of each
// application that is authorized in the bundle, and returns the tasks in the
// order in which the authorizations were made. An authorization that cannot
// search has no task, only the error that says why: then ID is empty. An
// application whose users nobody can search for, such as one that has audit logs
// alone, is left out: no person has access to it by an address.
func (c *Control) StartUserAccessTasks(ctx context.Context, caller fabric.Caller, bundle, email string) ([]fabric.UserAccessTask, error) {
	b, p, err := c.openBundle(ctx, caller, bundle)
	if err != nil {
		return nil, err
	}
	searchers, err := c.store.Searchers(ctx, caller, b.ID)
	if err != nil {
		return nil, err
	}
	var all []fabric.UserAccessTask
	var start []store.UserAccess
	for _, a := range searchers {
		if c.unsearched[a.App] {
			continue
		}
		t := fabric.UserAccessTask{
			BundleID: b.ID, AuthorizationID: a.ID, App: a.App, Tenant: a.Tenant, Email: email,
			Error: a.MayFindUsers(a.Granted), CreatedAt: c.now(),
		}
		if t.Error == "" {
			t.ID = uuid.NewString()
			row := store.UserAccess{UserAccessTask: t}
			if row.SealedEmail, err = c.keys.Seal(ctx, row.EmailPlace(), []byte(email)); err != nil {
				return nil, c.found(ctx, caller, p, err) // a deleted bundle has no data key
			}
			start = append(start, row)
		}
		all = append(all, t)
	}
	return c.startTasks(ctx, caller, b.ID, all, start)
}

// startTasks inserts the tasks to be started, and drops from all those whose
// authorization has gone meanwhile.
func (c *Control) startTasks(ctx context.Context, caller fabric.Caller, bundleID string, all []fabric.UserAccessTask, start []store.UserAccess) ([]fabric.UserAccessTask, error) {
	if len(start) == 0 {
		return all, nil
	}
	made, err := c.store.CreateUserAccessTasks(ctx, caller, bundleID, start)
	if err != nil {
		return nil, err
	}
	c.wake()
	started := all[:0]
	for _, t := range all {
		if t.ID == "" || made[t.ID] {
			started = append(started, t)
		}
	}
	return started, nil
}

// BatchGetUserAccessTasks returns tasks of a bundle in the order in which they
// are asked for: all of them, or, where one is not there, none.
func (c *Control) BatchGetUserAccessTasks(ctx context.Context, caller fabric.Caller, bundle string, ids []string) ([]fabric.UserAccessTask, error) {
	b, _, err := c.openBundle(ctx, caller, bundle)
	if err != nil {
		return nil, err
	}
	kept, err := c.store.UserAccessTasks(ctx, caller, b.ID, ids)
	if err != nil {
		return nil, err
	}
	all := make([]fabric.UserAccessTask, len(ids))
	for i, id := range ids {
		row, ok := kept[id]
		if !ok {
			return nil, fabric.Missing(fabric.KindUserAccessTask, id)
		}
		if all[i], err = c.unsealTask(ctx, row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *Control) unsealTask(ctx context.Context, row store.UserAccess) (fabric.UserAccessTask, error) {
	t := row.UserAccessTask
	email, err := c.keys.Open(ctx, row.EmailPlace(), row.SealedEmail)
	if err != nil {
		return t, fmt.Errorf("control: user access task %s: %w", t.ID, err)
	}
	t.Email = string(email)
	if len(row.SealedUser) == 0 {
		return t, nil
	}
	user, err := c.keys.Open(ctx, row.UserPlace(), row.SealedUser)
	if err != nil {
		return t, fmt.Errorf("control: user access task %s: %w", t.ID, err)
	}
	if err := json.Unmarshal(user, &t.User); err != nil {
		return t, fmt.Errorf("control: user access task %s: %w", t.ID, err)
	}
	return t, nil
}
