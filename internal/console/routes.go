package console

// route is one line of the console.
type route struct {
	method  string
	pattern string
	do      func(*visit) (page, error)
	open    bool // to people who have not signed in
	live    bool // the page keeps itself up to date
}

// routes is the whole console, but for its assets. Every form posts to the path
// of the page that it is on, or below it.
func routes() []route {
	const ingestion = "/console/bundles/{bundle}/ingestions/{ingestion}"
	return []route{
		{method: "GET", pattern: "/console/sign-in", do: signInPage, open: true},
		{method: "POST", pattern: "/console/sign-in", do: signIn, open: true},
		{method: "POST", pattern: "/console/sign-out", do: signOut},
		{method: "POST", pattern: "/console/region", do: changeRegion},
		{method: "GET", pattern: "/console/{$}", do: overview, live: true},
		{method: "GET", pattern: "/console/apps", do: directory},
		{method: "GET", pattern: "/console/apps/{app}/connect", do: connectApp},
		{method: "POST", pattern: "/console/apps/{app}/connect", do: connectApp},
		{method: "GET", pattern: anAuthorization, do: authorization},
		{method: "POST", pattern: anAuthorization + "/connect", do: reconnect},
		{method: "POST", pattern: anAuthorization + "/collect", do: collect},
		{method: "GET", pattern: anAuthorization + "/edit", do: editAuthorization},
		{method: "POST", pattern: anAuthorization + "/edit", do: editAuthorization},
		{method: "POST", pattern: anAuthorization + "/tag", do: tagAuthorization},
		{method: "POST", pattern: anAuthorization + "/untag", do: untagAuthorization},
		{method: "POST", pattern: anAuthorization + "/delete", do: deleteAuthorization},

		{method: "GET", pattern: ingestion, do: ingestionHome, live: true},
		{method: "POST", pattern: ingestion + "/start", do: startIngestion},
		{method: "POST", pattern: ingestion + "/stop", do: stopIngestion},
		{method: "POST", pattern: ingestion + "/backfill", do: backfill},
		{method: "POST", pattern: ingestion + "/delete", do: deleteIngestion},
		{method: "GET", pattern: ingestion + "/events", do: events},
		{method: "GET", pattern: ingestion + "/destinations/new", do: newDestination},
		{method: "POST", pattern: ingestion + "/destinations/new", do: newDestination},
		{method: "GET", pattern: ingestion + "/destinations/{destination}", do: destination},
		{method: "POST", pattern: ingestion + "/destinations/{destination}", do: destination},
		{method: "POST", pattern: ingestion + "/destinations/{destination}/delete", do: deleteDestination},
		{method: "GET", pattern: "/console/user-access", do: userAccess},
		{method: "POST", pattern: "/console/user-access", do: userAccess},
		{method: "GET", pattern: "/console/user-access/results", do: userAccessResults, live: true},
		{method: "GET", pattern: "/console/trail", do: trail},
	}
}

const anAuthorization = "/console/bundles/{bundle}/authorizations/{authorization}"
