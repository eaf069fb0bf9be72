package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/token"
)

// The bounds of a search. AWS terminates one whose calls time out
// (https://docs.aws.amazon.com/appfabric/latest/api/API_StartUserAccessTasks.html,
// checked 2026-11-22); here a call that does is made again until the task
// expires.
const (
	findTime        = 30 * time.Second // of one call
	longestThrottle = time.Hour        // that a provider can ask for
	longestFound    = 2048             // characters of what a provider says of a user, by the model
)

// UserAccess is the duty useraccess(task): the search for one user.
//
// How a search fails:
//
//	no such user                   ends the task
//	unauthorized                   the grant is refreshed; what a newer token, or a key, is told ends the task
//	forbidden, bad request         ends the task
//	throttled                      tried again when the provider says
//	unavailable, undecodable       tried again, after longer and longer waits
//	24 hours after the start       ends the task as expired, with the last failure
type UserAccess struct {
	o     Options
	ended func(app, outcome string)
}

// NewUserAccess returns the duty. ended is told how each task has ended.
func NewUserAccess(o Options, ended func(app, outcome string)) *UserAccess {
	return &UserAccess{o: o, ended: ended}
}

// search is one claim of a task being worked.
type search struct {
	*UserAccess

	claim store.Claim
	task  store.UserAccess
	auth  fabric.AppAuthorization
	grant token.Grant
}

// Run searches once. It is a job.Kind's Run.
func (u *UserAccess) Run(ctx context.Context, c store.Claim) error {
	task, auth, err := u.o.Store.LoadUserAccess(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted, and the claim with it
	}
	if err != nil {
		return err
	}
	s := &search{UserAccess: u, claim: c, task: task, auth: auth}
	switch why := auth.MayFindUsers(true); {
	case task.Status != fabric.InProgress:
		return u.o.Store.Finish(ctx, c, time.Time{})
	case s.left() <= 0:
		return s.end(ctx, fabric.Expired, task.Error, nil)
	case why != "":
		return s.end(ctx, fabric.TaskFailed, why, nil)
	case auth.Tenant.Identifier != task.Tenant.Identifier:
		// The task is of a tenant that the authorization no longer has.
		return s.end(ctx, fabric.TaskFailed, fabric.AuthorizationInvalid, nil)
	}
	return s.find(ctx)
}

// left is the time until the task expires.
func (s *search) left() time.Duration {
	return s.task.CreatedAt.Add(fabric.UserAccessLife).Sub(s.o.Now())
}

func (s *search) find(ctx context.Context) error {
	email, err := s.o.Keys.Open(ctx, s.task.EmailPlace(), s.task.SealedEmail)
	if err != nil {
		return err
	}
	session, grant, err := s.o.Grants.Session(ctx, s.auth)
	if errors.Is(err, token.ErrNoGrant) {
		return s.end(ctx, fabric.TaskFailed, fabric.TokenNotFound, nil)
	}
	if err != nil {
		return err
	}
	s.grant = grant
	finder, ok := session.(connector.UserFinder)
	if !ok {
		return s.end(ctx, fabric.TaskFailed, fabric.AuthorizationInvalid, nil)
	}
	user, err := ask(ctx, finder, string(email))
	if key, ok := errors.AsType[*secret.KeyError](err); ok {
		return key // the call could not be signed; the application was not asked
	}
	switch {
	case err == nil:
		return s.found(ctx, user)
	case ctx.Err() != nil:
		return ctx.Err() // a stop says nothing of the provider
	case errors.Is(err, connector.ErrNoUser):
		return s.end(ctx, fabric.TaskFailed, fabric.UserNotFound, nil)
	case connector.KindOf(err) == connector.Unauthorized:
		return s.unauthorized(ctx, err)
	}
	return s.failed(ctx, err)
}

func ask(ctx context.Context, finder connector.UserFinder, email string) (connector.User, error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	return finder.FindUser(ctx, email)
}

func (s *search) found(ctx context.Context, u connector.User) error {
	user, err := json.Marshal(fabric.AccessUser{
		ID: cut(u.ID), FullName: cut(u.FullName), FirstName: cut(u.FirstName), LastName: cut(u.LastName), Status: cut(u.Status),
	})
	if err != nil {
		return fmt.Errorf("pipeline: user access task %s: %w", s.claim.ID, err)
	}
	sealed, err := s.o.Keys.Seal(ctx, s.task.UserPlace(), user)
	if err != nil {
		return err
	}
	return s.end(ctx, fabric.Completed, "", sealed)
}

// cut shortens a text to what the model allows.
func cut(s string) string {
	n := 0
	for i := range s {
		if n++; n > longestFound {
			return s[:i]
		}
	}
	return s
}

// end ends the task, once: a late second claim is fenced off.
func (s *search) end(ctx context.Context, status fabric.UserAccessStatus, why fabric.UserAccessError, found []byte) error {
	if err := s.o.Store.EndUserAccess(ctx, s.claim, status, why, found); err != nil {
		return err
	}
	outcome := strings.ToLower(string(status))
	if status == fabric.TaskFailed {
		outcome = strings.ToLower(string(why))
	}
	s.ended(s.task.App, outcome)
	return nil
}

// unauthorized follows up a 401: the grant is refreshed, once, and only what
// the application says to a newer token decides. While none comes, because the
// token endpoint is away, the search waits for as long as the task lives; a
// refresh that fails for good is told by the authorization's status. A key cannot
// be refreshed. What it means for the authorization is not judged here.
func (s *search) unauthorized(ctx context.Context, err error) error {
	denied, version := s.task.Denied, s.grant.Version
	if s.auth.AuthType == fabric.AuthAPIKey || denied != 0 && version > denied {
		return s.end(ctx, fabric.TaskFailed, fabric.TokenRevoked, nil)
	}
	if err := s.o.Store.UserAccessFailed(ctx, s.claim, fabric.TokenRevoked, version); err != nil {
		return err
	}
	if denied == version {
		return s.again(job.Backoff(s.claim.Attempt), err)
	}
	if err := s.o.Grants.Expedite(ctx, s.auth.ID); err != nil {
		return err
	}
	s.o.Wake()
	return s.again(waitRefresh, err)
}

// failed decides what any other failure means.
func (s *search) failed(ctx context.Context, err error) error {
	why, final := judge(err)
	if final {
		return s.end(ctx, fabric.TaskFailed, why, nil)
	}
	if err := s.o.Store.UserAccessFailed(ctx, s.claim, why, 0); err != nil {
		return err
	}
	wait := job.Backoff(s.claim.Attempt)
	if e, ok := errors.AsType[*connector.Error](err); ok && e.Kind == connector.Throttled {
		wait = max(wait, waitThrottled)
		if !e.Until.IsZero() {
			wait = min(max(e.Until.Sub(s.o.Now()), time.Second), longestThrottle)
		}
	}
	return s.again(wait, err)
}

// again puts the search off, but not beyond the task's end. Why says no more
// than the kind of the failure: the application's own words may have the
// address, as may the URL of the call.
func (s *search) again(after time.Duration, err error) error {
	why := "the application could not be asked"
	if e, ok := errors.AsType[*connector.Error](err); ok {
		why = (&connector.Error{Kind: e.Kind, Op: e.Op, Status: e.Status}).Error()
	}
	return &job.Retry{After: max(min(after, s.left()), 0), Reason: why}
}

// verdicts is what failures mean; the first line that fits counts. A status of 0
// fits all. Where final, the same call would fail again.
func verdicts() []struct {
	kind   connector.Kind
	status int
	why    fabric.UserAccessError
	final  bool
} {
	return []struct {
		kind   connector.Kind
		status int
		why    fabric.UserAccessError
		final  bool
	}{
		{connector.Forbidden, http.StatusOK, fabric.PermissionsNotFound, true}, // said in the body, as of a missing scope
		{connector.Forbidden, none, fabric.AuthorizationInvalid, true},         // never sent: the tenant identifier names no tenant
		{connector.Forbidden, 0, fabric.AppForbids, true},
		{connector.Throttled, 0, fabric.AppThrottles, false},
		{connector.Malformed, 0, fabric.AppInternalError, false},
		{connector.CursorExpired, 0, fabric.AppBadRequest, true},
		{connector.Unavailable, http.StatusRequestTimeout, fabric.AppNotReady, false},
		{connector.Unavailable, http.StatusTooEarly, fabric.AppNotReady, false},
		{connector.Unavailable, http.StatusBadGateway, fabric.AppBadGateway, false},
		{connector.Unavailable, http.StatusServiceUnavailable, fabric.AppUnavailable, false},
		{connector.Unavailable, http.StatusGatewayTimeout, fabric.AppNotReady, false},
	}
}

// none is a status that fits failures without an answer alone.
const none = -1

// judge says what a failure means. What no line of the table has goes by the
// class of its status: a request that the application calls wrong stays wrong;
// no answer is one that may yet come.
func judge(err error) (why fabric.UserAccessError, final bool) {
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		return fabric.AppNotReady, false
	}
	for _, v := range verdicts() {
		if v.kind == e.Kind && (v.status == 0 || v.status == e.Status || v.status == none && e.Status == 0) {
			return v.why, v.final
		}
	}
	switch {
	case e.Status >= http.StatusInternalServerError:
		return fabric.AppInternalError, false
	case e.Status >= http.StatusBadRequest:
		return fabric.AppBadRequest, true
	default:
		return fabric.AppNotReady, false
	}
}
