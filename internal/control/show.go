package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// maxShown is how many entries of a history are shown, the newest.
const maxShown = 100

// AuthorizationState is an authorization with what the API has no member for.
type AuthorizationState struct {
	Authorization fabric.AppAuthorization
	Version       int64              // counts the sets of tokens; 0: none yet
	ExpiresAt     time.Time          // of the access token in use; zero: it does not end
	RefreshDue    time.Time          // zero: none
	Lineage       []store.GrantEvent // newest first
	Ingestion     fabric.ARN         // the one that reads with it; zero: none
	Requires      Required
}

// Required is the authorization of another application that an ingestion needs
// as well.
type Required struct {
	App           string                  // empty: none is needed
	Authorization fabric.AppAuthorization // for the same tenant; zero: there is none
}

// ShowAuthorization reads how an authorization stands and what became of its
// grants. There is nothing secret in it.
func (c *Control) ShowAuthorization(ctx context.Context, caller fabric.Caller, arn string) (AuthorizationState, error) {
	a, err := ofKind(caller, fabric.KindAppAuthorization, arn)
	if err != nil {
		return AuthorizationState{}, err
	}
	auth, err := c.store.GetAppAuthorization(ctx, caller, a.Bundle, a.Child)
	if err != nil {
		return AuthorizationState{}, untaggable(err, a, arn)
	}
	grant, err := c.store.LoadGrant(ctx, auth.ID)
	if err != nil {
		return AuthorizationState{}, untaggable(err, a, arn)
	}
	s := AuthorizationState{Authorization: auth, Version: grant.Version, ExpiresAt: grant.ExpiresAt, RefreshDue: grant.Due}
	if s.Lineage, err = c.store.Lineage(ctx, auth.ID, maxShown); err != nil {
		return AuthorizationState{}, err
	}
	id, err := c.store.IngestionOf(ctx, caller, auth.ID)
	if err != nil {
		return AuthorizationState{}, untaggable(err, a, arn)
	}
	if id != "" {
		s.Ingestion = a
		s.Ingestion.Kind, s.Ingestion.Child = fabric.KindIngestion, id
	}
	s.Requires, err = c.required(ctx, auth)
	return s, err
}

// required finds the authorization that another one needs beside it.
func (c *Control) required(ctx context.Context, a fabric.AppAuthorization) (Required, error) {
	r := Required{App: c.apps[a.App].Requires}
	if r.App == "" {
		return r, nil
	}
	other, err := c.store.AuthorizationFor(ctx, fabric.Ingestion{BundleID: a.BundleID, App: r.App, TenantID: a.Tenant.Identifier})
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	r.Authorization = other
	return r, err
}

// IngestionState is an ingestion with how its streams and destinations stand.
type IngestionState struct {
	Ingestion    fabric.Ingestion
	Backfills    []BackfillState // the newest, oldest first
	Streams      []StreamState
	Destinations []DestinationState // at most maxShown
}

// StreamState is how reading a stream goes.
type StreamState struct {
	store.StreamState
	Cursor   time.Time       // where the next page begins
	Coverage []store.Covered // the newest, in order of time
	Gaps     []store.Gap     // likewise; the last may be what is not read yet since polls fail
	Known    Lateness
}

// Lateness is how late the records of a stream have shown.
type Lateness struct {
	Records        int64 // that were counted
	P50, P99, P999 time.Duration
}

// DestinationState is a destination with what it is owed.
type DestinationState struct {
	Destination fabric.IngestionDestination
	Backlog     store.Backlog
}

// ShowIngestion reads how an ingestion's streams and destinations stand.
func (c *Control) ShowIngestion(ctx context.Context, caller fabric.Caller, arn string) (IngestionState, error) {
	a, err := ofKind(caller, fabric.KindIngestion, arn)
	if err != nil {
		return IngestionState{}, err
	}
	var s IngestionState
	if s.Ingestion, err = c.store.GetIngestion(ctx, caller, a.Bundle, a.Child); err != nil {
		return IngestionState{}, untaggable(err, a, arn)
	}
	if s.Streams, err = c.streams(ctx, caller, s.Ingestion.ID); err != nil {
		return IngestionState{}, err
	}
	rows, err := c.store.Backfills(ctx, caller, s.Ingestion.ID)
	if err != nil {
		return IngestionState{}, err
	}
	s.Backfills = together(rows)
	s.Backfills = s.Backfills[max(0, len(s.Backfills)-maxShown):]
	backlogs, err := c.store.Backlogs(ctx, caller, s.Ingestion.ID)
	if err != nil {
		return IngestionState{}, err
	}
	for _, b := range backlogs[:min(len(backlogs), maxShown)] {
		d, err := c.store.GetIngestionDestination(ctx, caller, a.Bundle, a.Child, b.DestinationID)
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted since
		}
		if err != nil {
			return IngestionState{}, err
		}
		s.Destinations = append(s.Destinations, DestinationState{d, b})
	}
	return s, nil
}

func (c *Control) streams(ctx context.Context, caller fabric.Caller, ingestionID string) ([]StreamState, error) {
	states, err := c.store.StreamStates(ctx, caller, ingestionID)
	if err != nil {
		return nil, err
	}
	all := make([]StreamState, 0, len(states))
	for _, st := range states {
		var at connector.Cursor
		if err := json.Unmarshal([]byte(st.Cursor), &at); err != nil {
			return nil, fmt.Errorf("control: cursor of %s: %w", st.ID, err)
		}
		s := StreamState{StreamState: st, Cursor: at.From}
		if s.Coverage, err = c.store.Coverage(ctx, st.ID); err != nil {
			return nil, err
		}
		if s.Gaps, err = c.store.Gaps(ctx, st.ID); err != nil {
			return nil, err
		}
		if now := c.now(); st.LastError != "" && !st.Watermark.IsZero() && now.Sub(st.Watermark) > shortOutage {
			s.Gaps = append(s.Gaps, store.Gap{
				Interval: store.Interval{From: st.Watermark, To: now}, Reason: "not read yet: " + st.LastError, FoundAt: now, TryAt: st.Due,
			})
		}
		l := fabric.ParseLateness(st.Lateness)
		s.Known = Lateness{Records: l.Total(), P50: l.Quantile(500), P99: l.Quantile(990), P999: l.Quantile(999)}
		s.Coverage = s.Coverage[max(0, len(s.Coverage)-maxShown):]
		s.Gaps = s.Gaps[max(0, len(s.Gaps)-maxShown):]
		all = append(all, s)
	}
	return all, nil
}

// shortOutage is for how long polls may fail before what they did not read is shown
// as a gap.
const shortOutage = 5 * time.Minute

// ofKind reads the ARN of a resource of the caller's and of one kind.
func ofKind(caller fabric.Caller, kind fabric.Kind, arn string) (fabric.ARN, error) {
	a, err := taggable(caller, arn)
	if err == nil && a.Kind != kind {
		err = invalidIdentifier(arn)
	}
	return a, err
}
