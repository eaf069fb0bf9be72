package local

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"selvedge/sink"
)

var errFolderInTheWay = errors.New("a folder has the object's name")

// cause is one way in which a file system says no. The reasons are shown to
// the destination's owner, who need not be whoever runs the server: they name
// the bucket or stream and no path of the machine.
type cause struct {
	err    error
	reason string // {place} stands for what was to be written
}

// causes lists those that somebody has to do something about. All others may
// pass by themselves.
func causes() []cause {
	const (
		full       = "the disk of {place} is full: free some space, deliveries go on by themselves then"
		permission = "the server may not write into the folder of {place}: give its user the right to write there"
		inTheWay   = "in the folder of {place} a file has the name of a folder that the object's key needs, or the other way round: move it away, or choose another prefix"
	)
	return []cause{
		{syscall.ENOSPC, full},
		{syscall.EDQUOT, full},
		{syscall.EACCES, permission},
		{syscall.EPERM, permission},
		{syscall.EROFS, "the file system of {place} is read-only: make it writable"},
		{syscall.ENOTDIR, inTheWay},
		{syscall.EISDIR, inTheWay},
		{errFolderInTheWay, inTheWay},
		{syscall.ENAMETOOLONG, "a part of the destination's prefix is longer than the file system of {place} allows: choose a shorter prefix"},
		{fs.ErrNotExist, "the folder of {place} does not exist: make it again, or update the destination, which makes it"},
	}
}

// classify makes the *sink.Error of what a file system said about a bucket.
func classify(bucket string, err error) error { return told("the bucket "+bucket, err) }

// classifyStream makes that of what it said about a stream.
func classifyStream(to sink.Stream, err error) error { return told("the stream "+to.Name, err) }

func told(place string, err error) error {
	for _, c := range causes() {
		if errors.Is(err, c.err) {
			return &sink.Error{Kind: sink.Refused, Reason: strings.ReplaceAll(c.reason, "{place}", place), Err: err}
		}
	}
	return &sink.Error{
		Kind:   sink.Unavailable,
		Reason: "the server could not write into the folder of " + place + ": its log has the cause",
		Err:    err,
	}
}
