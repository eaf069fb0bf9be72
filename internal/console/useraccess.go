package console

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
)

// maxTasks is how many searches a page follows: an address must not grow too long.
const (
	maxTasks  = 150
	maxMissed = 2000 // bytes of what could not be searched
	maxLookup = 50   // tasks of one call of the API
)

// search is what the address of a page of results holds, sealed: nobody can make
// up another, and it says nothing of the person.
type search struct {
	Bundle string   `json:"b"`
	Tasks  [][]byte `json:"t"` // UUIDs, 16 bytes each
	Missed []missed `json:"m"` // authorizations that could not search
	More   int      `json:"x"` // authorizations that are not told of
}

type missed struct {
	App    string `json:"a"`
	Tenant string `json:"t"`
	Why    string `json:"w"`
}

// searchPlace is what an address is sealed for.
const searchPlace = "user access search"

func (v *visit) sealSearch(s search) (string, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(v.sessions.seal.Seal(nil, nil, plain, v.searchOf())), nil
}

func (v *visit) openSearch(text string) (search, error) {
	gone := &fabric.Error{Kind: fabric.NotFound, Message: "This address of a search is damaged, or of another account or Region. Search again."}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return search{}, gone
	}
	plain, err := v.sessions.seal.Open(nil, nil, sealed, v.searchOf())
	if err != nil {
		return search{}, gone
	}
	var s search
	if err := json.Unmarshal(plain, &s); err != nil {
		return search{}, gone
	}
	return s, nil
}

func (v *visit) searchOf() []byte {
	return []byte(searchPlace + "\x00" + v.session.Account + "\x00" + v.session.Region)
}

// The form of a search.
type searchPage struct {
	refusal
	Email   field
	Bundles []bundleChoice
}

func userAccess(v *visit) (page, error) {
	d := searchPage{Email: field{
		Name: "email", Label: "E-mail address", Type: "email", Required: true,
		Hint: "As the applications know it. It is kept sealed for a week, and is in no log and no address.",
	}}
	var err error
	if d.Bundles, err = v.bundles(); err != nil {
		return page{}, err
	}
	if v.sent() {
		d.Email.Value = strings.TrimSpace(v.r.PostFormValue("email"))
		to, err := v.startSearch(v.chosenOf(d.Bundles), d.Email.Value)
		if err == nil {
			return redirect(to)
		}
		if d.refusal, err = refused(err, map[string]string{"email": "email"}); err != nil {
			return page{}, err
		}
		d.into(&d.Email)
	}
	return page{name: "useraccess", status: d.status(), Title: "User access", Data: d}, nil
}

// startSearch starts the searches and returns where their results are.
func (v *visit) startSearch(bundle, email string) (string, error) {
	var answer struct {
		Tasks []struct {
			App    string `json:"app"`
			Tenant string `json:"tenantId"`
			ID     string `json:"taskId"`
			Error  struct {
				Message string `json:"errorMessage"`
			} `json:"error"`
		} `json:"userAccessTasksList"`
	}
	if err := v.do("StartUserAccessTasks", members{"appBundleIdentifier": bundle, "email": email}, &answer); err != nil {
		return "", err
	}
	s, told := search{Bundle: bundle}, 0
	for _, t := range answer.Tasks {
		id, err := uuid.Parse(t.ID)
		switch {
		case err != nil:
			if told += len(t.App) + len(t.Tenant) + len(t.Error.Message); told > maxMissed {
				s.More++
				continue
			}
			s.Missed = append(s.Missed, missed{t.App, t.Tenant, t.Error.Message})
		case len(s.Tasks) == maxTasks:
			s.More++
		default:
			s.Tasks = append(s.Tasks, id[:])
		}
	}
	sealed, err := v.sealSearch(s)
	return "/console/user-access/results?search=" + sealed, err
}

// accessResult is what became of the search in one tenant.
type accessResult struct {
	App        string `json:"app"`
	TenantID   string `json:"tenantId"`
	TenantName string `json:"tenantDisplayName"`
	Status     string `json:"resultStatus"`
	Email      string `json:"email"`
	UserID     string `json:"userId"`
	FullName   string `json:"userFullName"`
	FirstName  string `json:"userFirstName"`
	LastName   string `json:"userLastName"`
	UserStatus string `json:"userStatus"`
	Error      struct {
		Code    string `json:"errorCode"`
		Message string `json:"errorMessage"`
	} `json:"taskError"`

	Title string // of the application
	Light light
	Why   string
	order int
}

// The page of results.
type resultsPage struct {
	Email   string
	Results []accessResult
	Found   int
	Going   int
	Failed  int
	More    int
}

func userAccessResults(v *visit) (page, error) {
	s, err := v.openSearch(v.r.URL.Query().Get("search"))
	if err != nil {
		return page{}, err
	}
	d := resultsPage{More: s.More}
	if len(s.Tasks) == 0 { // nothing else asks the key's policy
		if err := v.do("GetAppBundle", members{"appBundleIdentifier": s.Bundle}, nil); err != nil {
			return page{}, err
		}
	}
	for chunk := range slices.Chunk(s.Tasks, maxLookup) {
		ids := make([]string, len(chunk))
		for n, id := range chunk {
			ids[n] = uuid.UUID(id).String()
		}
		var answer struct {
			Results []accessResult `json:"userAccessResultsList"`
		}
		if err := v.do("BatchGetUserAccessTasks", members{"appBundleIdentifier": s.Bundle, "taskIdList": ids}, &answer); err != nil {
			return page{}, tooOld(err)
		}
		for _, r := range answer.Results {
			d.Email = r.Email
			d.add(v.judged(r))
		}
	}
	for _, m := range s.Missed {
		d.add(accessResult{App: m.App, TenantID: m.Tenant, Title: v.nameOf(m.App), Light: light{"warn", "Not searched"}, Why: m.Why, order: 1})
	}
	for n := range d.Results {
		d.Results[n].fit(maxFound / len(d.Results) / 6)
	}
	slices.SortStableFunc(d.Results, func(x, y accessResult) int { return x.order - y.order })
	return page{name: "results", Title: "User access: results", Trail: []crumb{{"User access", home + "user-access"}}, Data: d}, nil
}

func (d *resultsPage) add(r accessResult) {
	switch r.Light.Tone {
	case "good":
		d.Found++
	case "idle":
		if r.Status == string(fabric.InProgress) {
			d.Going++
		}
	default:
		d.Failed++
	}
	d.Results = append(d.Results, r)
}

// judged says in words what became of a search: the order is what a reader looks
// for first.
func (c *Console) judged(r accessResult) accessResult {
	r.Title = c.nameOf(r.App)
	switch fabric.UserAccessStatus(r.Status) {
	case fabric.Completed:
		r.Light, r.order = light{"good", "Has access"}, 0
	case fabric.InProgress:
		r.Light, r.order = light{"idle", "Being searched"}, 2
	case fabric.Expired:
		r.Light, r.order, r.Why = light{"warn", "No answer"}, 1, "There was no answer within 24 hours. "+r.Error.Message
	default:
		r.Light, r.order, r.Why = light{"warn", "Not known"}, 1, r.Error.Message
		if r.Error.Code == string(fabric.UserNotFound) {
			r.Light, r.order, r.Why = light{"idle", "No such user"}, 3, ""
		}
	}
	return r
}

// Name is the person's name, as far as the application tells it.
func (r accessResult) Name() string {
	if r.FullName != "" {
		return r.FullName
	}
	return strings.TrimSpace(r.FirstName + " " + r.LastName)
}

// maxFound is how many bytes of the applications' words a page of results has.
const maxFound = 60 << 10

// fit cuts what an application tells to the room of each.
func (r *accessResult) fit(room int) {
	name := r.Name()
	for _, text := range []*string{&r.TenantID, &r.TenantName, &r.Why, &name, &r.UserID, &r.UserStatus} {
		*text = excerptOf(*text, room).String()
	}
	r.FullName, r.FirstName, r.LastName = name, "", ""
}

// tooOld tells of searches that have gone.
func tooOld(err error) error {
	if fabric.KindOfError(err) == fabric.NotFound {
		return &fabric.Error{Kind: fabric.NotFound, Message: "The results are gone: they are kept for a week, and end with their app authorization. Search again."}
	}
	return err
}
