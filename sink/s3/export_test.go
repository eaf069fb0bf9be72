package s3

// WithPart makes the parts of an upload so large, and returns the sink.
func (s *Sink) WithPart(size int) *Sink {
	s.part = size
	return s
}
