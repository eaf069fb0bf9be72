// Package mapping turns a record into an OCSF event by a table.
//
// An application's mapping is data: which path of the record goes to which
// attribute (Row), and which type of event is of which class (Rule). What a
// table cannot say, such as whom one of a list of targets is, is a function on
// the parsed record (Table.Finish). For what most of those need, a user, a
// resource, the value of a name in a list, the meaning of a text, the function says
// by paths where it stands (Record.User, Resource, Pair, Pick).
//
// A record is read in one pass over its bytes. Every leaf, a string, number or
// boolean in any depth, gets a place; those whose path is in the table are found
// by it. A leaf is used when a row or a function has taken it; what is left when
// the event stands becomes `unmapped`, path to text. So nothing of a record is
// lost, and an application's table may begin small.
//
// Paths. "client.ipAddress" is a member of a member; "target[].type" a member of
// each element of a list; a dot that belongs to a name is written "\.". In
// `unmapped` the index stands in the brackets: "target[1].type".
//
// Providers have texts for what they do not know: "unknown", "Not Available". They
// are no identities (Table.Absent).
//
// The scanner accepts exactly what encoding/json accepts. Of two members of one
// name the last counts, as there; two that spell the same path in different ways
// ("a.b" and b in a) are treated alike. Containers that lie deeper than 32 levels
// or whose own path is beyond 512 bytes are one leaf, their JSON its text, so
// that the text of all paths stays in proportion to the record.
package mapping
