package console

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
)

// visit is one request of a person.
type visit struct {
	*Console
	w       http.ResponseWriter
	r       *http.Request
	by      fabric.Visitor
	session session // zero on pages that are open to all
}

// members are an operation's, by the model's names.
type members map[string]any

// enter finds out who it is, and that a form is from a page of the session.
func (v *visit) enter(route route) error {
	if route.open {
		return nil
	}
	s, err := v.sessions.of(v.r)
	if err != nil {
		return err
	}
	v.session = s
	v.by.Caller = fabric.Caller{Account: s.Account, Region: s.Region, AccessKeyID: s.KeyID}
	if v.r.Method == http.MethodPost && !v.sessions.checkForm(s, v.r.PostFormValue("csrf")) {
		return forged()
	}
	return nil
}

// do does an operation of the API as the person, under the policy of the key, and
// reads its answer into out, where that is not nil.
func (v *visit) do(operation string, in members, out any) error {
	body, err := v.API.Do(v.r.Context(), v.by, operation, in)
	if err != nil || out == nil || body == nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("console: answer of %s: %w", operation, err)
	}
	return nil
}

// sent says whether the request is a form.
func (v *visit) sent() bool { return v.r.Method == http.MethodPost }

// sure refuses a form that deletes without its box ticked.
func (v *visit) sure() error {
	if v.r.PostFormValue("sure") != "yes" {
		return &fabric.Error{Kind: fabric.Validation, Message: "Nothing was deleted: the box that confirms it was not ticked."}
	}
	return nil
}

// token makes of a form that is sent twice one request: it is the form's, or a new
// one where the form has none.
func (v *visit) token() string {
	if token := v.r.PostFormValue("token"); fabric.IsUUID(token) {
		return token
	}
	return uuid.NewString()
}

// at is what the path has for a name, such as {bundle}.
func (v *visit) at(name string) string { return v.r.PathValue(name) }
