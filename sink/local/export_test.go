package local

// WithStep returns a sink over the same folder that calls step before each of
// its effects: the step's error stands for the effect's own, and its panic is
// the process being killed there.
func (s *Sink) WithStep(step func(name string) error) *Sink {
	c := New(s.root)
	c.step = step
	return c
}

// Steps names the steps of a Put that writes, in their order.
func Steps() []string {
	return []string{stepMkdir, stepCreate, stepWrite, stepSync, stepRename, stepFolder}
}

// WithStep is Sink's.
func (s *Streams) WithStep(step func(name string) error) *Streams {
	c := NewStreams(s.root)
	c.step = step
	return c
}

// WithFull returns a sink over the same folder whose files are full with so many
// bytes.
func (s *Streams) WithFull(n int64) *Streams {
	c := NewStreams(s.root)
	c.full = n
	return c
}
