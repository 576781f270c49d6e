package store

import (
	"net"
	"slices"
	"strings"

	"github.com/followspan/followspan/trace"
)

// A stranger is a peer that somebody called, or sent a message to, and of which
// nothing is known: it may send no spans, or may not have sent its first ones yet,
// since SDKs hold them back. It is waited for as long as that takes, once: if nothing
// comes it counts as one that sends none.

// maxStrangers is how many peers are remembered that sent nothing.
const maxStrangers = 1 << 16

// byCaller is for spans that do not say whom they call.
const byCaller = "caller"

// asked are the names of who is to answer a span, also if it gives none.
func asked(span trace.Span) []peer {
	if all := asks(span); len(all) > 0 {
		return all
	}
	return []peer{{byCaller, span.Service() + " " + span.Name()}}
}

// isStranger reports whether a span asks a stranger.
func (p *peers) isStranger(span trace.Span) bool {
	for _, who := range asked(span) {
		if p.silent[who] {
			return false
		}
	}
	return len(p.silent) < maxStrangers
}

// isSilent reports whether the flow's author says that whoever a span asks sends none.
func (d *declaration) isSilent(span trace.Span) bool {
	if len(d.Silent) == 0 {
		return false
	}
	at := addressOf(span)
	for _, name := range []string{at.host, net.JoinHostPort(at.host, at.port), peerService(span), rpcService(span), destination(span)} {
		if name != "" && slices.Contains(d.Silent, name) {
			return true
		}
	}
	return false
}

// unanswered yields the members that asked somebody who is not known to send spans.
func (s *Store) unanswered(in *instance) func(func(trace.Span) bool) {
	return func(yield func(trace.Span) bool) {
		v := s.graph.View()
		for _, n := range in.pending {
			span := v.Span(n)
			switch k := span.Kind(); {
			case k != trace.Client && k != trace.Producer, n == in.trigger, in.of.isSilent(span):
			case k == trace.Producer && len(consumersOf(v, n)) > 0:
			case k == trace.Client && (isPart(v, n, span) || isAnsweredElsewhere(v, n)):
			case !yield(span):
				return
			}
		}
	}
}

// leavesMessages reports whether nobody has consumed a message of an instance.
func (s *Store) leavesMessages(in *instance) bool {
	for span := range s.unanswered(in) {
		if span.Kind() == trace.Producer {
			return true
		}
	}
	return false
}

// meetsStranger reports whether an instance without open edges asked a stranger that
// may yet send spans. A system that the run started sends them at once.
func (s *Store) meetsStranger(in *instance) bool {
	if s.settings.Recorded || in.of.Hasty || s.startedAll() {
		return false
	}
	for span := range s.unanswered(in) {
		if s.peers.isStranger(span) {
			return true
		}
	}
	return false
}

// startedAll reports whether the run started everybody who sends spans.
func (s *Store) startedAll() bool {
	others := false
	for _, p := range s.processes {
		if !p.own && !p.started {
			return false
		}
		others = others || !p.own
	}
	return others
}

// giveUpOn remembers those as silent from whom an instance did not hear for long enough.
func (s *Store) giveUpOn(in *instance) {
	for span := range s.unanswered(in) {
		if !s.peers.isStranger(span) {
			continue
		}
		for _, who := range asked(span) {
			s.peers.silent[peer{who.kind, strings.Clone(who.name)}] = true
			s.peers.texts += int64(len(who.name))
		}
	}
}
