package fabric

// Standing is how a connection stands as a whole: its authorization, ingestion
// and destinations.
type Standing string

// The standings.
const (
	StandingFailed     Standing = "failed"     // somebody must mend the authorization or a destination
	StandingLate       Standing = "late"       // a stream cannot be read
	StandingWaiting    Standing = "waiting"    // a step is left to be done before anything is collected
	StandingSilent     Standing = "silent"     // read without a fault, and nothing came for long
	StandingStopped    Standing = "stopped"    // somebody disabled the ingestion
	StandingCollecting Standing = "collecting" // there is nothing to do
)

// Standings is all of them, the most urgent first.
func Standings() []Standing {
	return []Standing{StandingFailed, StandingLate, StandingWaiting, StandingSilent, StandingStopped, StandingCollecting}
}
