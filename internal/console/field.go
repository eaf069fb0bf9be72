package console

import (
	"errors"
	"net/http"
	"strings"

	"selvedge/internal/fabric"
)

// field is an input of a form, as the template "field" shows it.
type field struct {
	Name     string
	Label    string
	Type     string // of the input
	Value    string
	Hint     string
	Fault    string // what is wrong with the value; empty: nothing
	Required bool
}

// Described is the elements that say more of the input.
func (f field) Described() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Fault != "" {
		ids = append(ids, f.Name+"-fault")
	}
	return strings.Join(ids, " ")
}

// refusal is why a form was not taken.
type refusal struct {
	Problem string            // of the whole; empty: the faults say it all
	Faults  map[string]string // by the name of the input
}

// refused says why an operation did not take a form, for the form to be shown
// again: names leads from the members of the operation to the inputs. An error that
// is not of the form's making is returned as it is.
func refused(err error, names map[string]string) (refusal, error) {
	r := refusal{Faults: map[string]string{}}
	e, ok := errors.AsType[*fabric.Error](err)
	if !ok || e.Kind != fabric.Validation && e.Kind != fabric.Conflict && e.Kind != fabric.QuotaExceeded {
		return r, err
	}
	left := len(e.Fields) == 0
	for _, f := range e.Fields {
		input, known := names[f.Name]
		if !known {
			left = true
			continue
		}
		r.Faults[input] = f.Message
	}
	if left {
		r.Problem = e.Message
	}
	return r, nil
}

// into puts the faults beside their fields.
func (r refusal) into(fields ...*field) {
	for _, f := range fields {
		f.Fault = r.Faults[f.Name]
	}
}

// status is of a page with the form, shown again or not.
func (r refusal) status() int {
	if r.Problem != "" || len(r.Faults) > 0 {
		return http.StatusBadRequest
	}
	return http.StatusOK
}
