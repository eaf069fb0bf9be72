package wire_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/wire"
)

// unions are the members of the SDK's unions, which are interfaces in Go.
func unions() map[reflect.Type][]reflect.Type {
	return map[reflect.Type][]reflect.Type{
		reflect.TypeFor[types.Credential]():               {reflect.TypeFor[types.CredentialMemberApiKeyCredential](), reflect.TypeFor[types.CredentialMemberOauth2Credential]()},
		reflect.TypeFor[types.Destination]():              {reflect.TypeFor[types.DestinationMemberFirehoseStream](), reflect.TypeFor[types.DestinationMemberS3Bucket]()},
		reflect.TypeFor[types.ProcessingConfiguration]():  {reflect.TypeFor[types.ProcessingConfigurationMemberAuditLog]()},
		reflect.TypeFor[types.DestinationConfiguration](): {reflect.TypeFor[types.DestinationConfigurationMemberAuditLog]()},
	}
}

// The Go SDK carries the model as types: every operation, the members of its
// request and answer with their types and enumerations, and which of the
// request's own it will not send without.
func TestTheTablesAreTheSDKs(t *testing.T) {
	t.Parallel()
	want, got := map[string]string{}, map[string]string{}
	client := reflect.TypeFor[*appfabric.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() < 3 || m.Type.NumOut() != 2 {
			continue // Options
		}
		want[m.Name] = "operation"
		ofSDK(want, m.Name, m.Type.In(2).Elem())
		ofSDK(want, m.Name+" answer", m.Type.Out(0).Elem())
		for _, name := range requiredBySDK(t, m) {
			want[m.Name+"."+name] += " required"
		}
	}
	answers := wire.Answers()
	for _, op := range wire.Operations() {
		got[op.Name] = "operation"
		for _, m := range op.Input {
			ofTable(got, op.Name+"."+m.Name, m.Shape)
			if m.Required || op.Name == "UntagResource" { // see untagResourceRequest
				got[op.Name+"."+m.Name] += " required"
			}
		}
		if a := answers[op.Name]; a != nil {
			l := lines{}
			addAnswer(l, op.Name+" answer", reflect.TypeOf(a))
			for path, text := range l {
				_, got[path], _ = strings.Cut(text, ", ")
			}
		}
	}
	// What is text in an answer has no enumeration in our types.
	for path, text := range want {
		if strings.Contains(path, " answer.") && strings.HasPrefix(text, "string") {
			want[path] = "string"
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the tables differ from the SDK's types (-SDK +tables):\n%s", d)
	}
}

// ofTable writes down a shape of ours in the words of ofSDK.
func ofTable(l map[string]string, path string, s wire.Shape) {
	switch s.Kind {
	case wire.Text:
		l[path] = "string" + enumText(s.Enum)
	case wire.Integer:
		l[path] = "integer"
	case wire.List:
		l[path] = "list"
		if s.Element.Kind != wire.Text {
			ofTable(l, path+"[]", *s.Element)
			delete(l, path+"[]")
		}
	default:
		l[path] = "structure"
		for _, m := range s.Members {
			ofTable(l, path+"."+m.Name, m.Shape)
		}
	}
}

func enumText(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprint(" of ", slices.Sorted(slices.Values(values)))
}

// ofSDK writes down the members of a structure of the SDK.
func ofSDK(l map[string]string, path string, of reflect.Type) {
	for i := range of.NumField() {
		f := of.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		typeOfSDK(l, path+"."+strings.ToLower(f.Name[:1])+f.Name[1:], f.Type)
	}
}

func typeOfSDK(l map[string]string, path string, of reflect.Type) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch of.Kind() {
	case reflect.String:
		l[path] = "string" + enumText(enumOfSDK(of))
	case reflect.Int32:
		l[path] = "integer"
	case reflect.Slice:
		l[path] = "list"
		if of.Elem().Kind() == reflect.Struct {
			ofSDK(l, path+"[]", of.Elem())
		}
	case reflect.Interface:
		l[path] = "structure"
		for _, part := range unions()[of] {
			_, name, _ := strings.Cut(part.Name(), "Member")
			at := path + "." + strings.ToLower(name[:1]) + name[1:]
			typeOfSDK(l, at, part.Field(0).Type)
		}
	case reflect.Struct:
		if of.PkgPath() == "time" {
			l[path] = "string"
			return
		}
		l[path] = "structure"
		ofSDK(l, path, of)
	default:
		l[path] = "a " + of.String()
	}
}

// enumOfSDK is the values of an enumeration; none of plain text.
func enumOfSDK(of reflect.Type) []string {
	method, ok := of.MethodByName("Values")
	if !ok {
		return nil
	}
	all := method.Func.Call([]reflect.Value{reflect.Zero(of)})[0]
	values := make([]string, all.Len())
	for i := range values {
		values[i] = all.Index(i).String()
	}
	return values
}

// requiredBySDK is the members that the SDK's own check asks for. It sends
// nothing.
func requiredBySDK(t *testing.T, m reflect.Method) []string {
	t.Helper()
	c := sdk(who{keyA, region}, "http://192.0.2.1", refusing{})
	in := reflect.New(m.Type.In(2).Elem())
	out := reflect.ValueOf(c).MethodByName(m.Name).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	err, _ := out[1].Interface().(error)
	invalid, ok := errors.AsType[smithy.InvalidParamsError](err)
	if !ok {
		if !errors.Is(err, errRefusing) {
			t.Fatalf("%s: %v", m.Name, err)
		}
		return nil
	}
	missing := map[string]bool{}
	for text := range strings.Lines(invalid.Error()) {
		if _, field, ok := strings.Cut(strings.TrimSpace(text), "missing required field, "); ok {
			_, name, _ := strings.Cut(strings.TrimSuffix(field, "."), ".")
			missing[strings.ToLower(name[:1])+name[1:]] = true
		}
	}
	return slices.Collect(maps.Keys(missing))
}

var errRefusing = errors.New("nothing is sent")

// refusing is a transport of which nothing comes.
type refusing struct{}

func (refusing) Do(*http.Request) (*http.Response, error) { return nil, errRefusing }

// Every exception that the SDK knows is one that we can answer with.
func TestTheSDKKnowsEveryException(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, e := range []smithy.APIError{
		&types.AccessDeniedException{}, &types.ConflictException{}, &types.InternalServerException{}, &types.ResourceNotFoundException{},
		&types.ServiceQuotaExceededException{}, &types.ThrottlingException{}, &types.ValidationException{},
	} {
		known[e.ErrorCode()] = true
	}
	ours := map[string]bool{}
	for _, op := range wire.Operations() {
		for _, name := range op.Throws {
			ours[name] = true
		}
	}
	if d := cmp.Diff(known, ours); d != "" {
		t.Errorf("exceptions (-SDK +ours):\n%s", d)
	}
}
