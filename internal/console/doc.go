// Package console is what people see in a browser: server-rendered pages that
// need no script and load nothing from elsewhere. Below /console/ are the pages of
// people who have signed in with an access key: what they see and do goes through
// the operations of the API, under the policy of their key, and into the trail.
//
// routes.go lists the pages; each is a function of a visit, in the file of its
// noun, and a template in pages/. A form posts to an address of its own and leads
// to a page by a redirect, or shows the form again with what was wrong. A page
// works without a script; one that is live is sent again, as server-sent events,
// when what it shows has changed.
package console
