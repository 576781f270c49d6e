package store

// Looks is how often the store has asked what time does to a flow, and what a span of
// it waits for.
func Looks(s *Store) int { return s.looks }
