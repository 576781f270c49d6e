package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestMembership(t *testing.T) {
	tests := []struct {
		name, sketch, want string
		m                  trace.Membership
	}{
		{
			name: "a trace, whatever the order of arrival",
			sketch: `
shop  order    0..50ms
  shop  query  client  10..20ms
other  job     0..5ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop query (trace)
`,
		},
		{
			name: "a link joins forwards, with what hangs under it",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #pub
email  process orders  consumer 60..90ms  link=#pub
  email  smtp  client  70..80ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (link)
  email smtp (parent)
`,
		},
		{
			name: "never backwards: a batch consumer does not merge what it consumed",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #pub
cron   tick  0..40ms
  cron  send orders   producer  10..20ms  #other
email  process orders  consumer 60..90ms  link=#pub link=#other`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (link)
`,
		},
		{
			name: "of a batch, what each message got, and what is about none",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #pub
cron   tick  0..40ms
  cron  send orders   producer  10..20ms  #other
email  receive orders  consumer 60..70ms  link=#pub link=#other
  email  process one  consumer 71..80ms  link=#pub
    email  smtp one  client  72..79ms
  email  process other  consumer 81..90ms  link=#other
    email  smtp other  client  82..89ms
  email  commit  client  91..92ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email receive orders (link)
  email process one (link)
  email smtp one (parent)
  email commit (parent)
`,
		},
		{
			name: "of two batches, what each message got",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #one
  shop  send orders  producer   11..21ms  #two
cron   tick  0..40ms
  cron  send orders   producer  10..20ms  #three
  cron  send orders   producer  11..21ms  #four
email  receive orders  consumer 60..70ms  link=#one link=#three
  email  process one    consumer 71..80ms  link=#one
  email  process three  consumer 81..90ms  link=#three
email  receive orders  consumer 160..170ms  link=#two link=#four
  email  process two    consumer 171..180ms  link=#two
  email  process four   consumer 181..190ms  link=#four`,
			want: `
f closed end of the recording
  email process one (link)
  email process two (link)
  email receive orders (link)
  email receive orders (link)
  shop order (origin)
  shop send orders (trace)
  shop send orders (trace)
`,
		},
		{
			name: "of a batch that somebody asked for, all that it got",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  #pub
cron   tick  0..40ms
  cron  send orders   producer  10..20ms  #other
email  poll  internal  55..95ms
  email  receive orders  consumer 60..70ms  link=#pub link=#other
    email  process other  consumer 81..90ms  link=#other`,
			want: `
f closed end of the recording
  email process other (parent)
  email receive orders (link)
  shop order (origin)
  shop send orders (trace)
`,
		},
		{
			name: "of a batch that is the origin, all that it got",
			sketch: `
cron   tick  0..40ms
  cron  send orders   producer  10..20ms  #one
  cron  send orders   producer  11..21ms  #two
email  order  consumer 60..70ms  link=#one link=#two
  email  process one  consumer 71..80ms  link=#one`,
			want: `
f closed end of the recording
  email order (origin)
  email process one (parent)
`,
			m: trace.Membership{Scope: trace.ScopeSubtree},
		},
		{
			name: "a message joins by its id",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
email  process orders  consumer 15..90ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
email  process orders  consumer 16..91ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m2
email  process mails   consumer 16..92ms  messaging.system=nats messaging.destination.name=mails  messaging.message.id=m1
email  process others  consumer 16..93ms  messaging.system=sqs  messaging.destination.name=orders messaging.message.id=m1`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (message)
`,
		},
		{
			name: "a message that arrives before its producer's span",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  at=100ms messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
email  process orders  consumer 15..90ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1`,
			want: `
f closed end of the recording
  shop order (origin)
  shop send orders (trace)
  email process orders (message)
`,
		},
		{
			name: "a message that several read before its producer's span arrives",
			sketch: `
shop   order            0..50ms
  shop  send orders  producer   10..20ms  at=100ms messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
email  process orders  consumer 15..90ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
audit  process orders  consumer 15..91ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1
stock  process orders  consumer 15..92ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=m1`,
			want: `
f closed end of the recording
  audit process orders (message)
  email process orders (message)
  shop order (origin)
  shop send orders (trace)
  stock process orders (message)
`,
		},
		{
			name: "links are followed up to the limit",
			sketch: `
shop  order  0..50ms  #a
b  b  consumer  60..70ms  link=#a #b
c  c  consumer  80..90ms  link=#b #c
d  d  consumer  90..95ms  link=#c`,
			want: `
f closed end of the recording cut=1
  shop order (origin)
  b b (link)
  c c (link)
`,
			m: trace.Membership{Hops: 2},
		},
		{
			name: "an origin under another origin starts no instance",
			sketch: `
shop  order    0..50ms
  shop  retry  internal  5..45ms
    shop  order  10..20ms`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
  shop order (trace)
  shop retry (trace)
`,
		},
		{
			name: "two origins in one trace part it",
			sketch: `
test  suite  internal  0..100ms
  shop  order  10..20ms
    shop  a  internal  11..12ms
  shop  order  30..40ms
    shop  b  internal  31..32ms`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
  shop a (parent)
f closed end of the recording
  shop order (origin)
  shop b (parent)
`,
		},
		{
			name: "two origins have the whole trace, if that is what was asked for",
			sketch: `
test  suite  internal  0..100ms
  shop  order  10..20ms
  shop  order  30..40ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop order (trace)
  test suite (trace)
f closed end of the recording
  shop order (origin)
  shop order (trace)
  test suite (trace)
`,
			m: trace.Membership{Scope: trace.ScopeTrace},
		},
		{
			name: "a single origin has what it caused, if that is what was asked for",
			sketch: `
test  suite  internal  0..100ms
  shop  order  10..20ms
    shop  a  internal  11..12ms`,
			want: `
f closed end of the recording
  shop order (origin)
  shop a (parent)
`,
			m: trace.Membership{Scope: trace.ScopeSubtree},
		},
		{
			name: "a correlation key without a value joins nothing",
			sketch: `
shop   order  5..50ms
mail   send   60..90ms`,
			want: `
f closed end of the recording
  shop order (origin)
`,
			m: trace.Membership{Keys: []trace.Correlation{{Key: "order.id", Of: func(trace.Span) (trace.Value, bool) { return trace.EmptyValue(), true }}}},
		},
		{
			name: "a correlation key joins what shares its value and starts later",
			sketch: `
old    audit  0..1ms  order.id=o-1
shop   order            5..50ms  order.id=o-1
mail   send             60..90ms  order.id=o-1
  mail  smtp  client  70..80ms
mail   send             60..90ms  order.id=o-2`,
			want: `
f closed end of the recording
  shop order (origin)
  mail send (correlation key)
  mail smtp (parent)
`,
			m: trace.Membership{Keys: by("order.id")},
		},
		{
			name: "a correlation key joins what starts earlier by another machine's clock, if that may be",
			sketch: `
resource mail host.id=h2
shop   order  1.5s..1.6s  order.id=o-1
mail   send   0.6s..0.7s  order.id=o-1
mail   audit  0.1s..0.2s  order.id=o-1`,
			want: `
f closed end of the recording
  shop order (origin)
  mail send (correlation key)
`,
			m: trace.Membership{Keys: by("order.id")},
		},
		{
			name: "a value under two origins joins nothing",
			sketch: `
shop   order  5..50ms   tier=gold
mail   send   60..90ms  tier=gold
shop   order  70..95ms  tier=gold`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
`,
			m: trace.Membership{Keys: by("tier")},
		},
		{
			name: "nor does it when what has it comes behind both",
			sketch: `
shop   order  5..50ms   tier=gold
shop   order  10..60ms  tier=gold
mail   send   70..90ms  tier=gold`,
			want: `
f retracted
f closed end of the recording
  shop order (origin)
f closed end of the recording
  shop order (origin)
`,
			m: trace.Membership{Keys: by("tier")},
		},
		{
			name: "a value under two origins joins nothing, where these have a value of their own, too",
			sketch: `
queue  order  5..50ms   job=1 tier=gold
queue  order  52..55ms  job=1
mail   send   60..90ms  tier=gold
queue  order  70..95ms  job=2 tier=gold
queue  order  96..99ms  job=1`,
			want: `
f retracted
f closed end of the recording
  queue order (origin)
  queue order (origin)
  queue order (origin)
f closed end of the recording
  queue order (origin)
`,
			m: trace.Membership{Keys: by("tier"), Opens: trace.OpensByKey, Per: func(s trace.Span) (string, bool) {
				v, ok := s.Attr("job")
				return v.String(), ok
			}},
		},
		{
			name: "a key groups the spans that have it, within one trace too",
			sketch: `
queue  order  0..9ms  job=1
  queue  step  1..2ms
  queue  order  3..8ms  job=2
queue  order  20..29ms  job=1`,
			want: `
f closed end of the recording
  queue order (origin)
f closed end of the recording
  queue order (origin)
  queue order (origin)
  queue step (parent)
  queue order (parent)
`,
			m: trace.Membership{Opens: trace.OpensByKey, Per: func(s trace.Span) (string, bool) {
				v, ok := s.Attr("job")
				return v.String(), ok
			}},
		},
		{
			name: "a value without an origin groups the spans that have it, and no others",
			sketch: `
queue  order  0..9ms  job=1 #p
  queue  step  1..2ms
work  order  20..29ms  job=1 link=#p
work  order  20..29ms  job=2 link=#p`,
			want: `
f closed end of the recording
  queue order (origin)
  work order (origin)
f closed end of the recording
  work order (origin)
`,
			m: trace.Membership{Opens: trace.OpensByKey, Scope: trace.ScopeValue, Per: func(s trace.Span) (string, bool) {
				v, ok := s.Attr("job")
				return v.String(), ok
			}},
		},
		{
			name: "an equal copy counts once more, circles do no harm",
			sketch: `
shop  order  0..50ms
  copy at=60ms
  shop  x  internal  1..2ms  #x parent=#y
  shop  y  internal  1..3ms  #y parent=#x`,
			want: `
f closed end of the recording
  shop order (origin) x2
  shop x (trace)
  shop y (trace)
  open: parent of x
`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.Flow, tt.m.Origin = "f", named("order")
			var got strings.Builder
			got.WriteString("\n")
			p := storetest.New([]trace.Membership{tt.m}, store.Settings{})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				for _, f := range p.Arrive(a) {
					if f.State() == trace.Retracted {
						got.WriteString("f retracted\n")
					}
				}
			}
			for _, f := range p.Close(trace.ByEndOfRecording) {
				got.WriteString(describe(f))
			}
			// Members join as they arrive; the table shows them by name.
			if diff := cmp.Diff(sortedLines(tt.want), sortedLines(got.String())); diff != "" {
				t.Errorf("(-want +got)\n%s\nin full:%s", diff, got.String())
			}
		})
	}
}

// sortedLines sorts the indented lines under each line at the margin.
func sortedLines(s string) string {
	blocks := strings.Split(strings.ReplaceAll(strings.Trim(s, "\n"), "\n  ", "\x00"), "\n")
	for i, b := range blocks {
		lines := strings.Split(b, "\x00")
		slices.Sort(lines[1:])
		blocks[i] = strings.Join(lines, "\n  ")
	}
	return strings.Join(blocks, "\n")
}

// A value that several flows hold is told of, once.
func TestSharedValuesAreTold(t *testing.T) {
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Keys: slices.Concat(by("tier"), by("order.id"))}}, store.Settings{})
	p.Arrive(sketch.MustParse(`
shop  order  0..50ms   tier=gold order.id=1
shop  order  60..90ms  tier=gold order.id=2
shop  order  95..99ms  tier=gold order.id=3`).Arrivals...)
	if got := p.Store.Stats().SharedKeys; !slices.Equal(got, []string{`tier="gold"`}) {
		t.Errorf("shared are %q, want tier=gold", got)
	}
}
