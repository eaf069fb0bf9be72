// Package audit keeps the trail: one record for each call of the API, in the
// shape of AWS CloudTrail's
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
// checked 2026-11-22), one line of JSON each, in a file that is rotated.
//
// A record is given to the operating system before the answer of its call goes
// out: what a client was told is in the trail, however the process ends. It is
// not synced to the disk, so a power cut may take the last moments.
//
// The files are those of one server. The newest is at the path of the trail; once
// full it is renamed to the path and ".1", what was there to ".2", and so on. A
// line that a crash or a full disk cut off ends where the next record begins, and
// whoever reads the trail skips what is no JSON object. A file that was moved
// or removed by somebody else is begun anew.
package audit
