package receiver

import "sync"

// maxHints bounds what is remembered of what was said.
const maxHints = 1000

// hints says everything once.
type hints struct {
	warn func(string)

	mu   sync.Mutex
	said map[string]bool
}

// hint warns once for each key, and reports whether it did now.
func (s *Server) hint(key, text string) bool {
	first := s.hints.first(key)
	if first {
		s.hints.warn(text)
	}
	return first
}

func (h *hints) first(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.said[key] || len(h.said) >= maxHints {
		return false
	}
	if h.said == nil {
		h.said = map[string]bool{}
	}
	h.said[key] = true
	return true
}
