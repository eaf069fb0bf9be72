package iam_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/iam"
)

// TestActions holds the table to the SDK's operations.
func TestActions(t *testing.T) {
	t.Parallel()
	var want []string
	client := reflect.TypeFor[*appfabric.Client]()
	for i := range client.NumMethod() {
		if name := client.Method(i).Name; name != "Options" {
			want = append(want, "appfabric:"+name)
		}
	}
	var got []string
	for _, a := range iam.Actions() {
		got = append(got, a.Name)
		if !slices.Contains([]string{"List", "Read", "Write", "Tagging"}, a.Access) {
			t.Errorf("%s: access %q", a.Name, a.Access)
		}
		if slices.Contains(a.Keys, "aws:ResourceTag/${TagKey}") != (len(a.Resources) > 0) {
			t.Errorf("%s: tags of a resource, and resources %v", a.Name, a.Resources)
		}
		parse(t, document(`"Effect":"Allow","Action":"`+a.Name+`","Resource":"*"`))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestActionResources says again, by the operation's name alone, what an action is on.
func TestActionResources(t *testing.T) {
	t.Parallel()
	const b, a, i, d = fabric.KindAppBundle, fabric.KindAppAuthorization, fabric.KindIngestion, fabric.KindIngestionDestination
	for _, action := range iam.Actions() {
		name := strings.TrimPrefix(action.Name, "appfabric:")
		create, list := strings.HasPrefix(name, "Create"), strings.HasPrefix(name, "List")
		var want []fabric.Kind
		switch {
		case strings.Contains(name, "Resource"):
			want = []fabric.Kind{b, a, i, d}
		case strings.Contains(name, "Destination") && (create || list):
			want = []fabric.Kind{b, i}
		case strings.Contains(name, "Destination"):
			want = []fabric.Kind{b, i, d}
		case name == "CreateAppBundle" || name == "ListAppBundles":
		case create || list || strings.Contains(name, "UserAccess") || strings.Contains(name, "AppBundle"):
			want = []fabric.Kind{b}
		case strings.Contains(name, "Ingestion"):
			want = []fabric.Kind{b, i}
		case strings.Contains(name, "AppAuthorization"):
			want = []fabric.Kind{b, a}
		}
		if diff := cmp.Diff(want, action.Resources); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if action.AnyOne != strings.Contains(name, "Resource") {
			t.Errorf("%s: AnyOne %t", name, action.AnyOne)
		}
	}
}

func TestManaged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		allowed func(iam.Action) bool
	}{
		{"AWSAppFabricFullAccess", func(iam.Action) bool { return true }},
		{"AWSAppFabricReadOnlyAccess", func(a iam.Action) bool { return a.Access == "Read" || a.Access == "List" }},
	} {
		for _, prefix := range []string{"", "arn:aws:iam::aws:policy/", "arn:aws-us-gov:iam::aws:policy/"} {
			p, ok := iam.Managed(prefix + test.name)
			if !ok {
				t.Fatalf("no %s%s", prefix, test.name)
			}
			for _, a := range iam.Actions() {
				got := iam.Evaluate([]iam.Policy{p}, on(a.Name, bundle, "*")) == iam.Allowed
				if got != test.allowed(a) {
					t.Errorf("%s: %s: %t", test.name, a.Name, got)
				}
			}
			for _, action := range []string{"selvedge:CreateKey", "kms:ListAliases", "iam:CreateServiceLinkedRole", "appfabric"} {
				if got := iam.Evaluate([]iam.Policy{p}, on(action, "*")); got != iam.DeniedImplicit {
					t.Errorf("%s: %s: %v", test.name, action, got)
				}
			}
		}
	}
	for _, name := range []string{
		"", "awsappfabricfullaccess", "AWSAppFabricServiceRolePolicy", "AdministratorAccess",
		"arn:aws:iam::aws:policy/", "arn:aws:iam::123456789012:policy/AWSAppFabricFullAccess",
		"arn:aws:iam::aws:policy/aws-service-role/AWSAppFabricFullAccess",
	} {
		if _, ok := iam.Managed(name); ok {
			t.Errorf("%q is there", name)
		}
	}
}
