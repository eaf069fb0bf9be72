package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// Overview is how the connections of an account and Region stand.
type Overview struct {
	Counts      map[fabric.Standing]int64 // of all of them
	Connections []Connection              // a part, the most urgent first
}

// Connection is an authorization, with the ingestion that reads with it.
type Connection struct {
	Standing      fabric.Standing
	Authorization fabric.AppAuthorization
	Ingestion     fabric.Ingestion // zero: there is none yet
	Destinations  int64
	Failed        fabric.IngestionDestination // the first that is Failed: id and reason; zero: none is
	ReadTo        time.Time                   // up to here all streams were read
	Stream        string                      // the first whose last poll failed; empty: none
	StreamError   string
	StreamDue     time.Time // when it is tried again; zero: it is not
	Owed          time.Time // closing time of the oldest batch that a destination is owed; zero: none
	LastAt        time.Time // when records were last taken in; zero: never
	Volumes       []Volume  // since OverviewInput.Since
}

// Mark is the place of a connection in the overview.
func (c Connection) Mark() Mark {
	return Mark{ID: strconv.Itoa(rank(c.Standing)) + "/" + c.Authorization.ID}
}

func rank(s fabric.Standing) int { return slices.Index(fabric.Standings(), s) }

// OverviewInput says what of the overview is wanted.
type OverviewInput struct {
	Only   fabric.Standing // empty: all
	After  Mark
	N      int
	Late   time.Time // a stream that fails is late when it was not read to here
	Silent time.Time // an ingestion is silent when nothing came since; its hour counts
	Since  time.Time // from where volumes are wanted
}

// troubles finds every connection that is not just collecting, once each, with
// its standing as a number of fabric.Standings. What is as it should be is not
// looked at, but for its volume: arguments are troubleArgs.
const troubles = `WITH failed AS MATERIALIZED (
		SELECT DISTINCT ingestion_id FROM ingestion_destination WHERE account = ? AND region = ? AND status = 'Failed'),
	late AS MATERIALIZED (SELECT DISTINCT ingestion_id FROM stream WHERE last_error <> '' AND watermark < ?),
	bad AS MATERIALIZED (
		SELECT i.id AS ingestion_id, 0 AS standing FROM failed f JOIN ingestion i ON i.id = f.ingestion_id
		UNION ALL SELECT i.id, 1 FROM late l JOIN ingestion i ON i.id = l.ingestion_id
			WHERE i.account = ? AND i.region = ? AND i.state = 'enabled' AND i.destinations > 0 AND i.id NOT IN (SELECT ingestion_id FROM failed)
		UNION ALL SELECT i.id, 2 FROM ingestion i WHERE i.account = ? AND i.region = ? AND i.state = 'enabled' AND i.destinations = 0
		UNION ALL SELECT i.id, 3 FROM ingestion i WHERE i.account = ? AND i.region = ? AND i.state = 'enabled' AND i.destinations > 0
			AND i.created_at < ? AND NOT EXISTS (SELECT 1 FROM volume v WHERE v.ingestion_id = i.id AND v.hour >= ?)
			AND i.id NOT IN (SELECT ingestion_id FROM failed) AND i.id NOT IN (SELECT ingestion_id FROM late)
		UNION ALL SELECT i.id, 4 FROM ingestion i WHERE i.account = ? AND i.region = ? AND i.state = 'disabled'
			AND i.id NOT IN (SELECT ingestion_id FROM failed)),
	trouble AS MATERIALIZED (
		SELECT 0 AS standing, id FROM app_authorization
			WHERE account = ? AND region = ? AND status IN ('ConnectionValidationFailed', 'TokenAutoRotationFailed')
		UNION ALL SELECT 2, id FROM app_authorization WHERE account = ? AND region = ? AND status = 'PendingConnect'
			AND ingestion_id NOT IN (SELECT ingestion_id FROM failed)
		UNION ALL SELECT 2, id FROM app_authorization WHERE account = ? AND region = ? AND status = 'Connected' AND ingestion_id = ''
		UNION ALL SELECT b.standing, a.id FROM bad b JOIN app_authorization a ON a.ingestion_id = b.ingestion_id
			WHERE a.status = 'Connected' OR a.status = 'PendingConnect' AND b.standing = 0) `

func troubleArgs(c fabric.Caller, in OverviewInput) []any {
	a, r := c.Account, c.Region
	return []any{a, r, millis(in.Late), a, r, a, r, a, r, millis(in.Silent), hourNumber(in.Silent), a, r, a, r, a, r, a, r}
}

// Overview counts the caller's connections by how they stand, and reads up to N
// of them behind a place.
func (s *Store) Overview(ctx context.Context, c fabric.Caller, in OverviewInput) (Overview, error) {
	o := Overview{Counts: make(map[fabric.Standing]int64)}
	after, id, _ := strings.Cut(in.After.ID, "/")
	behind, err := strconv.Atoi(after)
	if err != nil {
		behind = -1
	}
	only, last := rank(in.Only), rank(fabric.StandingCollecting)
	rest := 0
	if in.Only == "" || only == last {
		rest = 1
	}
	type row struct {
		standing int
		id       string // empty: n counts those of the standing
		n        int64
	}
	rows, err := list(ctx, s.reader, "overview", func(r scanner) (row, error) {
		var p row
		return p, r.Scan(&p.standing, &p.n, &p.id)
	}, troubles+`
		SELECT standing, count(*), '' FROM trouble GROUP BY standing
		UNION ALL SELECT cast(? AS integer), count(*), '' FROM app_authorization WHERE account = ? AND region = ?
		UNION ALL SELECT * FROM (SELECT standing, 0, id FROM trouble
			WHERE (standing, id) > (?, ?) AND (standing = ? OR ? < 0) ORDER BY standing, id LIMIT ?) AS head
		UNION ALL SELECT * FROM (SELECT cast(? AS integer), 0, id FROM app_authorization
			WHERE account = ? AND region = ? AND id > ? AND cast(? AS integer) = 1 AND id NOT IN (SELECT id FROM trouble)
			ORDER BY id LIMIT ?) AS rest`,
		slices.Concat(troubleArgs(c, in), []any{last, c.Account, c.Region, behind, id, only, only, in.N},
			[]any{last, c.Account, c.Region, firstOf(behind == last, id), rest, in.N})...)
	if err != nil {
		return Overview{}, err
	}
	stands := make(map[string]fabric.Standing)
	slices.SortStableFunc(rows, func(x, y row) int { return x.standing - y.standing })
	for _, r := range rows {
		standing := fabric.Standings()[r.standing]
		switch {
		case r.id == "":
			o.Counts[standing] += r.n
		case len(stands) < in.N:
			stands[r.id] = standing
		}
	}
	for standing, n := range o.Counts { // it counted all
		if standing != fabric.StandingCollecting {
			o.Counts[fabric.StandingCollecting] -= n
		}
	}
	if o.Connections, err = s.connections(ctx, stands); err != nil {
		return Overview{}, err
	}
	return o, s.addVolumes(ctx, o.Connections, in.Since)
}

// firstOf is the id if it counts.
func firstOf(counts bool, id string) string {
	if counts {
		return id
	}
	return ""
}

// connections reads what is known of some, in the order of the overview.
func (s *Store) connections(ctx context.Context, stands map[string]fabric.Standing) ([]Connection, error) {
	if len(stands) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(stands))
	for id := range stands {
		ids = append(ids, id)
	}
	in, args := among(ids)
	all, err := list(ctx, s.reader, "connections", scanConnection, `
		SELECT a.id, a.bundle_id, a.account, a.region, a.app, a.tenant_id, a.tenant_name, a.auth_type, a.status, a.reason,
			a.generation, a.created_at, a.updated_at,
			coalesce(i.id, ''), coalesce(i.type, ''), coalesce(i.state, ''), coalesce(i.created_at, 0), coalesce(i.updated_at, 0),
			coalesce(i.destinations, 0),
			coalesce(f.id, ''), coalesce(f.reason, ''),
			coalesce((SELECT min(s.watermark) FROM stream s WHERE s.ingestion_id = i.id), 0),
			coalesce(e.name, ''), coalesce(e.last_error, ''), coalesce(e.due_at, 0),
			coalesce((SELECT min(o.closed_at) FROM ingestion_destination d JOIN delivery o ON o.destination_id = d.id
				WHERE d.ingestion_id = i.id AND o.done_at = 0), 0),
			coalesce((SELECT max(v.last_at) FROM volume v WHERE v.ingestion_id = i.id), 0)
		FROM app_authorization a LEFT JOIN ingestion i ON i.id = a.ingestion_id
		LEFT JOIN ingestion_destination f ON f.id = (SELECT d.id FROM ingestion_destination d
			WHERE d.ingestion_id = i.id AND d.status = 'Failed' ORDER BY d.created_at, d.id LIMIT 1)
		LEFT JOIN stream e ON e.id = (SELECT s.id FROM stream s
			WHERE s.ingestion_id = i.id AND s.last_error <> '' ORDER BY s.watermark, s.id LIMIT 1)
		WHERE a.id `+in, args...)
	for n := range all {
		all[n].Standing = stands[all[n].Authorization.ID]
	}
	slices.SortFunc(all, func(x, y Connection) int {
		if by := rank(x.Standing) - rank(y.Standing); by != 0 {
			return by
		}
		return strings.Compare(x.Authorization.ID, y.Authorization.ID)
	})
	return all, err
}

func scanConnection(row scanner) (Connection, error) {
	var c Connection
	a, i := &c.Authorization, &c.Ingestion
	var created, updated, begun, changed, readTo, due, owed, last int64
	err := row.Scan(&a.ID, &a.BundleID, &a.Account, &a.Region, &a.App, &a.Tenant.Identifier, &a.Tenant.DisplayName,
		&a.AuthType, &a.Status, &a.Reason, &a.Generation, &created, &updated,
		&i.ID, &i.Type, &i.State, &begun, &changed, &c.Destinations, &c.Failed.ID, &c.Failed.Reason,
		&readTo, &c.Stream, &c.StreamError, &due, &owed, &last)
	a.CreatedAt, a.UpdatedAt = fromMillis(created), fromMillis(updated)
	if i.ID != "" {
		i.BundleID, i.Account, i.Region, i.App, i.TenantID = a.BundleID, a.Account, a.Region, a.App, a.Tenant.Identifier
		i.CreatedAt, i.UpdatedAt = fromMillis(begun), fromMillis(changed)
	}
	if f := &c.Failed; f.ID != "" {
		f.BundleID, f.IngestionID, f.Account, f.Region, f.Status = a.BundleID, i.ID, a.Account, a.Region, fabric.Failed
	}
	c.ReadTo, c.StreamDue, c.Owed, c.LastAt = fromMillis(readTo), fromMillis(due), fromMillis(owed), fromMillis(last)
	return c, err
}

func (s *Store) addVolumes(ctx context.Context, all []Connection, since time.Time) error {
	var ids []string
	for n := range all {
		if all[n].Ingestion.ID != "" {
			ids = append(ids, all[n].Ingestion.ID)
		}
	}
	volumes, err := s.volumes(ctx, ids, since)
	for n := range all {
		all[n].Volumes = volumes[all[n].Ingestion.ID]
	}
	return err
}

// among is a condition that a column has one of the values, with its arguments.
func among(values []string) (string, []any) {
	args := make([]any, len(values))
	for n, v := range values {
		args[n] = v
	}
	return `IN (?` + strings.Repeat(", ?", len(values)-1) + `)`, args
}
