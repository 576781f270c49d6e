package receiver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/followspan/followspan/trace"
)

// Sender is one service instance, and what the Sink took of it.
type Sender struct {
	Service   string // service.name
	Instance  string // as trace.Resource.Process names it; "" if the resource does not say
	Peer      string // the host that sent for it last: itself, or a collector
	UserAgent string // of the exporter on that host
	Spans     uint64
	Lag       trace.Lag
}

// late is an export lag that is worth a word: SDKs wait for 5 s unless told
// otherwise, collectors for a fraction of a second.
const late = 2 * time.Second

type instance struct{ service, process string }

// senders knows the service instances that sent spans.
type senders struct {
	mu      sync.Mutex
	all     map[instance]*Sender
	advised map[*Sender]bool // of their lag
}

// took counts the spans of a batch by their service instance. It returns the
// instances that turned out to send late by themselves, each once: one that was
// told to retry could not do better.
func (s *senders) took(b trace.Batch, from source, retrying bool) (lagging []Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last trace.Resource
	var sender *Sender
	for _, span := range b.Spans {
		if r := span.Resource(); sender == nil || r != last {
			last, sender = r, s.sender(r)
			sender.Peer, sender.UserAgent = from.host(), from.agent
		}
		sender.Spans++
		sender.Lag.Observe(span.End(), b.Received)
		if sender.Lag.Most >= late && !sender.Lag.Unknown && !retrying && !s.advised[sender] {
			s.advised[sender] = true
			lagging = append(lagging, *sender)
		}
	}
	return lagging
}

// sender is the row of a resource. Those beyond manySenders share one without a name.
func (s *senders) sender(r trace.Resource) *Sender {
	if found, ok := s.all[instance{r.Service(), r.Process()}]; ok {
		return found
	}
	key := instance{strings.Clone(r.Service()), strings.Clone(r.Process())} // the block may go
	if len(s.all) >= manySenders {
		key = instance{}
	}
	if s.all == nil {
		s.all, s.advised = map[instance]*Sender{}, map[*Sender]bool{}
	}
	if s.all[key] == nil {
		s.all[key] = &Sender{Service: key.service, Instance: key.process}
	}
	return s.all[key]
}

func (s *senders) snapshot() (all []Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sender := range s.all {
		all = append(all, *sender)
	}
	slices.SortFunc(all, func(a, b Sender) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Instance, b.Instance))
	})
	return all
}

// lagAdvice tells the owner of a service to let its SDK export sooner.
func lagAdvice(s Sender) string {
	return fmt.Sprintf("your spans of service %q arrive up to %v late: set OTEL_BSP_SCHEDULE_DELAY=100 (milliseconds), or in tests OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1 with OTEL_BSP_MAX_QUEUE_SIZE=65536",
		s.Service, s.Lag.Most.Round(100*time.Millisecond))
}
