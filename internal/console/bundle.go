package console

import "selvedge/internal/fabric"

// bundleChoice is an app bundle that a form can be about.
type bundleChoice struct {
	ID       string
	Selected bool
}

// bundles are the app bundles, the first of them; what a form has chosen is marked.
// The only one is chosen already: whoever sees the form need not know of bundles.
func (v *visit) bundles() ([]bundleChoice, error) {
	var answer struct {
		List []struct {
			ARN string `json:"arn"`
		} `json:"appBundleSummaryList"`
	}
	err := v.do("ListAppBundles", members{}, &answer)
	var all []bundleChoice
	for _, b := range answer.List {
		if arn, ok := fabric.ParseARN(b.ARN); ok {
			all = append(all, bundleChoice{arn.Bundle, arn.Bundle == v.r.PostFormValue("bundle")})
		}
	}
	if len(all) == 1 {
		all[0].Selected = true
	}
	return all, err
}

// chosenOf is the bundle that is chosen; where none of them is, what the form has:
// the API says what is wrong with it.
func (v *visit) chosenOf(all []bundleChoice) string {
	for _, b := range all {
		if b.Selected {
			return b.ID
		}
	}
	return v.r.PostFormValue("bundle")
}

// bundleFor is the bundle that is chosen, or a new one where there is none.
func (v *visit) bundleFor(all []bundleChoice, token string) (string, error) {
	if len(all) > 0 {
		return v.chosenOf(all), nil
	}
	var answer struct {
		AppBundle struct {
			ARN string `json:"arn"`
		} `json:"appBundle"`
	}
	err := v.do("CreateAppBundle", members{"clientToken": token}, &answer)
	arn, _ := fabric.ParseARN(answer.AppBundle.ARN)
	return arn.Bundle, err
}
