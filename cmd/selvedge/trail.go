package main

import (
	"selvedge/internal/audit"
	"selvedge/internal/wire"
)

// openTrail opens the trail at the path; nil where it is empty.
func openTrail(path string) (*audit.Trail, error) {
	if path == "" {
		return nil, nil
	}
	return audit.Open(audit.Options{Path: path})
}

// record counts a call and adds it to the trail. A trail that cannot be
// written to refuses no call: it is logged and counted.
func (v *server) record(c wire.Call) {
	v.metrics.Called(c.Operation, c.ErrorCode, c.Duration)
	if v.trail == nil {
		return
	}
	user := c.Caller.AccessKeyID // an access key stands for the user that it was made for
	if user == v.root.ID {
		user = ""
	}
	err := v.trail.Record(audit.Call{
		RequestID: c.RequestID, Time: c.Start.Add(c.Duration), Source: c.Source,
		Operation: c.Operation, ReadOnly: c.ReadOnly, Caller: c.Caller, User: user, SourceIP: c.SourceIP, UserAgent: c.UserAgent,
		ErrorCode: c.ErrorCode, ErrorMessage: c.Message, Parameters: c.Parameters, Elements: c.Elements,
	})
	if err != nil {
		v.metrics.TrailFailed()
		v.log.Error("the trail lacks a call, or its file grows", "operation", c.Operation, "request_id", c.RequestID, "error", err)
	}
}
