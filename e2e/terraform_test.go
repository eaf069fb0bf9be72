package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/google/go-cmp/cmp"
)

// The life of all five resources in two Regions: made, changed in place, lost
// behind Terraform's back, imported elsewhere and destroyed.
func TestTerraform(t *testing.T) {
	t.Parallel()
	tool(t, "terraform")
	providerMirror(t)
	p, sim := terraformServer(t)
	tf := newTerraform(t, p, sim)
	tf.configure(t)
	tf.run(t, "init", "-no-color", "-input=false")
	tf.apply(t, "14 added, 0 changed, 0 destroyed")
	tf.empty(t)
	state := tf.state(t)
	if u := state["module.virginia.aws_appfabric_app_authorization.okta"]["auth_url"]; !strings.Contains(u, "oauth2") {
		t.Errorf("auth_url is %q", u)
	}
	checkTags(t, p, state, map[string]string{"team": "audit", "floor": "", "environment": "test", "empty": ""})

	tf.env = append(tf.env, "TF_VAR_prefix=testing", "TF_VAR_display_name=updated", "TF_VAR_spare_key=Another",
		`TF_VAR_tags={"environment":"","owner":"me"}`)
	tf.apply(t, "0 added, 12 changed, 0 destroyed")
	if d := cmp.Diff(state.ids(), tf.state(t).ids()); d != "" {
		t.Errorf("resources are others after a change in place: %s", d)
	}
	checkTags(t, p, state, map[string]string{"team": "audit", "floor": "", "environment": "", "owner": "me"})

	// One destination is lost: it alone is made again, and all else is as it was.
	lost := state["module.ireland.aws_appfabric_ingestion_destination.this"]
	sure(t, p.in(t, "eu-west-1").DeleteIngestionDestination, appfabric.DeleteIngestionDestinationInput{
		AppBundleIdentifier: aws.String(lost["app_bundle_arn"]), IngestionIdentifier: aws.String(lost["ingestion_arn"]),
		IngestionDestinationIdentifier: aws.String(lost["arn"]),
	})
	tf.apply(t, "1 added, 0 changed, 0 destroyed")
	state = tf.state(t)

	other := newTerraform(t, p, sim)
	other.env = append(other.env, tf.env[len(tf.env)-4:]...)
	other.adopt(t, state)
	// Everything is gone behind the first one's back.
	tf.plan(t, "14 to add, 0 to change, 0 to destroy")
	p.stop(t)
}

// adopt imports what another directory made, and destroys it.
func (tf *terraform) adopt(t *testing.T, state resources) {
	t.Helper()
	tf.configure(t)
	var imports strings.Builder
	for address, attributes := range state {
		if !strings.Contains(address, "_connection.") { // the provider imports no connections
			fmt.Fprintf(&imports, "import {\n  to = %s\n  id = %q\n}\n", address, attributes["id"])
		}
	}
	write(t, filepath.Join(tf.dir, "import.tf"), imports.String())
	tf.run(t, "init", "-no-color", "-input=false")
	// A credential cannot be read: it is given again.
	tf.apply(t, "12 imported, 2 added, 6 changed, 0 destroyed")
	got := tf.state(t)
	if d := cmp.Diff(state, got); d != "" {
		t.Errorf("imported (-made +imported): %s", d)
	}
	tf.run(t, "destroy", "-no-color", "-input=false", "-auto-approve")
	if left := tf.state(t); len(left) > 0 {
		t.Errorf("left after destroy: %v", left.ids())
	}
}

// configure puts the configuration into the directory.
func (tf *terraform) configure(t *testing.T) {
	t.Helper()
	if err := os.CopyFS(tf.dir, os.DirFS(testdata(t, "terraform"))); err != nil {
		t.Fatal(err)
	}
}

// apply applies, and expects so much to be done.
func (tf *terraform) apply(t *testing.T, want string) {
	t.Helper()
	out := tf.run(t, "apply", "-no-color", "-input=false", "-auto-approve")
	if !strings.Contains(out, "Resources: "+want+".") {
		t.Errorf("want %s:\n%s", want, tail(out, 60))
	}
}

// empty expects a plan without changes.
func (tf *terraform) empty(t *testing.T) {
	t.Helper()
	if out, err := tf.try(t, "plan", "-no-color", "-input=false", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan is not empty: %v\n%s", err, tail(out, 60))
	}
}

// plan expects a plan of so many changes.
func (tf *terraform) plan(t *testing.T, want string) {
	t.Helper()
	out, err := tf.try(t, "plan", "-no-color", "-input=false", "-detailed-exitcode")
	status, ok := errors.AsType[*exec.ExitError](err)
	if !ok || status.ExitCode() != 2 || !strings.Contains(out, "Plan: "+want+".") {
		t.Errorf("want %s: %v\n%s", want, err, tail(out, 60))
	}
}

// resources are the attributes of what Terraform keeps, by address.
type resources map[string]map[string]string

func (r resources) ids() map[string]string {
	all := map[string]string{}
	for address, attributes := range r {
		all[address] = attributes["id"]
	}
	return all
}

// state reads the text attributes of Terraform's state.
func (tf *terraform) state(t *testing.T) resources {
	t.Helper()
	var state struct {
		Resources []struct {
			Module, Type, Name string
			Instances          []struct {
				Attributes map[string]any
			}
		}
	}
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(filepath.Join(tf.dir, "terraform.tfstate"))), &state); err != nil {
		t.Fatal(err)
	}
	all := resources{}
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			attributes := map[string]string{}
			for name, v := range i.Attributes {
				if text, ok := v.(string); ok && name != "updated_at" { // the import gives the credential again
					attributes[name] = text
				}
			}
			all[r.Module+"."+r.Type+"."+r.Name] = attributes
		}
	}
	return all
}

// in is the client of a Region.
func (p *process) in(t *testing.T, region string) *appfabric.Client {
	t.Helper()
	return appfabric.New(p.client(t).Options(), func(o *appfabric.Options) { o.Region = region })
}

// checkTags expects the tags of every resource that has some of its own.
func checkTags(t *testing.T, p *process, state resources, want map[string]string) {
	t.Helper()
	for address, attributes := range state {
		if strings.Contains(address, "_connection.") || strings.HasSuffix(address, ".spare") || strings.HasSuffix(address, ".okta") {
			continue
		}
		region := strings.Split(attributes["arn"], ":")[3]
		got := map[string]string{}
		for _, tag := range sure(t, p.in(t, region).ListTagsForResource, appfabric.ListTagsForResourceInput{ResourceArn: aws.String(attributes["arn"])}).Tags {
			got[*tag.Key] = *tag.Value
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: tags: %s", address, d)
		}
	}
}
