package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

const controlPrefix = "/simulator/v1/"

// maxEmitted bounds one request for events.
const maxEmitted = 1_000_000

// controlRequest is the body of every POST; each path reads the members it
// names. Durations are Go's: "1s", "250ms".
type controlRequest struct {
	App string `json:"app"`

	Count  int    `json:"count"`  // events
	Late   string `json:"late"`   // events: published that long before they arrive
	Repeat int    `json:"repeat"` // events: that many of them are put in twice

	Every string `json:"every"` // trickle: time between events; "0s" ends it

	Fault struct { // faults
		Path        string  `json:"path"`
		Kind        Kind    `json:"kind"`
		Times       int     `json:"times"`
		Every       int     `json:"every"`
		Probability float64 `json:"probability"`
		Delay       string  `json:"delay"`
		Status      int     `json:"status"`
	} `json:"fault"`
}

// controlRoutes is the surface for whoever runs the simulator as a process of its
// own. It has no sign-in: the listener must be on loopback.
func (s *Server) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	post := func(path string, act func(application, controlRequest) (any, error)) {
		mux.HandleFunc("POST "+controlPrefix+path, func(w http.ResponseWriter, r *http.Request) {
			var in controlRequest
			decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBody))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&in); err != nil {
				reply(w, nil, fmt.Errorf("body: %w", err))
				return
			}
			a, err := s.find(in.App)
			if err != nil {
				reply(w, nil, err)
				return
			}
			out, err := act(a, in)
			reply(w, out, err)
		})
	}
	query := func(pattern string, act func(application) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a, err := s.find(r.URL.Query().Get("app"))
			if err != nil {
				reply(w, nil, err)
				return
			}
			out, err := act(a)
			reply(w, out, err)
		})
	}
	post("events", controlEmit)
	post("trickle", controlTrickle)
	post("faults", controlInject)
	post("revoke", func(a application, _ controlRequest) (any, error) {
		a.Revoke()
		return struct{}{}, nil
	})
	query("DELETE "+controlPrefix+"faults", func(a application) (any, error) {
		a.core().clearFaults()
		return struct{}{}, nil
	})
	query("GET "+controlPrefix+"shown", func(a application) (any, error) { return recordList(a.core().Shown()), nil })
	query("GET "+controlPrefix+"all", func(a application) (any, error) { return recordList(a.core().All()), nil })
	query("GET "+controlPrefix+"token-requests", controlTokenRequests)
	return mux
}

func controlEmit(a application, in controlRequest) (any, error) {
	late, err := duration(in.Late)
	if err != nil || in.Count < 1 || in.Count > maxEmitted || in.Repeat < 0 || in.Repeat > in.Count {
		return nil, fmt.Errorf("count must be 1 to %d, repeat 0 to count, late a duration", maxEmitted)
	}
	ids, err := a.core().Emit(in.Count, late)
	if err != nil {
		return nil, err
	}
	if err := a.core().Repeat(ids[:in.Repeat]...); err != nil {
		return nil, err
	}
	return map[string]any{"ids": ids}, nil
}

func controlTrickle(a application, in controlRequest) (any, error) {
	every, err := duration(in.Every)
	if err != nil {
		return nil, err
	}
	a.core().Trickle(every)
	return struct{}{}, nil
}

func controlInject(a application, in controlRequest) (any, error) {
	delay, err := duration(in.Fault.Delay)
	if err != nil {
		return nil, err
	}
	return struct{}{}, a.core().inject(Fault{
		Path: in.Fault.Path, Kind: in.Fault.Kind, Times: in.Fault.Times, Every: in.Fault.Every,
		Probability: in.Fault.Probability, Delay: delay, Status: in.Fault.Status,
	})
}

func controlTokenRequests(a application) (any, error) {
	g, ok := a.(grantor)
	if !ok {
		return nil, fmt.Errorf("%s has no token endpoint", a.core().name)
	}
	return map[string]any{"requests": g.TokenRequests()}, nil
}

// recordList has each record's bytes in base64, as encoding/json writes []byte.
func recordList(records map[string][]byte) any {
	type record struct {
		ID  string `json:"id"`
		Raw []byte `json:"raw"`
	}
	list := make([]record, 0, len(records))
	for _, id := range slices.Sorted(maps.Keys(records)) {
		list = append(list, record{id, records[id]})
	}
	return map[string]any{"count": len(list), "records": list}
}

func duration(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration like 250ms", s)
	}
	return d, nil
}

func reply(w http.ResponseWriter, out any, err error) {
	status := http.StatusOK
	if err != nil {
		status, out = http.StatusBadRequest, map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the client may be gone, which is its own affair
}
