package assertions_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/followspan/followspan/assertions"
	"github.com/followspan/followspan/assertions/internal/lang"
)

// rounds is how many random arrivals each flow is played with.
const rounds = 12

var propertySuites = []string{"testdata/flows/examples.flow.yaml", "testdata/flows/classes.flow.yaml"}

// contradictions plays all flows, good and broken, in random orders and batches,
// and yields every verdict that depends on them. Since a closed flow is judged
// from the complete data, this also proves that no early verdict was wrong.
func contradictions(t testing.TB, suite *assertions.Suite, rounds int) iter.Seq[string] {
	return func(yield func(string) bool) { contradict(t, suite, rounds, yield) }
}

func contradict(t testing.TB, suite *assertions.Suite, rounds int, yield func(string) bool) {
	names := []string{"shop", "login"}
	texts := []string{readFile(t, "testdata/flows/shop.sketch"), readFile(t, "testdata/flows/login.sketch")}
	for i, b := range examples {
		names = append(names, fmt.Sprintf("%s broken %d: %s", b.flow, i, b.assertion))
		texts = append(texts, b.sketch(t))
	}
	for i, name := range names {
		want := playClosed(t, suite, texts[i])
		for seed := range rounds {
			got := play(t, suite, texts[i], shuffled(rand.New(rand.NewPCG(uint64(seed), uint64(i)))))
			for key, w := range want {
				g, ok := got[key]
				if ok && g.Outcome == w.Outcome && g.Vacuous == w.Vacuous {
					continue
				}
				if !yield(fmt.Sprintf("%s, seed %d: %s is %s (early: %t), complete data say %s", name, seed, key, g.Outcome, g.Early, w.Outcome)) {
					return
				}
			}
			if len(got) != len(want) && !yield(fmt.Sprintf("%s, seed %d: %d verdicts, want %d", name, seed, len(got), len(want))) {
				return
			}
		}
	}
}

func TestVerdictsDoNotDependOnArrival(t *testing.T) {
	for _, path := range propertySuites {
		for c := range contradictions(t, loadSuite(t, path), rounds) {
			t.Error(c)
		}
	}
}

// A trace may have several roots: whichever arrives first, a span has the one above it,
// and one whose parent is missing the first of them by start.
func TestRootsDoNotDependOnArrival(t *testing.T) {
	suite := mustLoad(t, `
version: 1
flows:
  checkout:
    origin: http.route == "/checkout"
    expect:
      - count(spans, .root.name == "POST /checkout") == 3
      - count(spans, .root.name == "sweep") == 2
      - '!any(spans, .root == nil)'
      - any(spans, .service == "stock" and .root.name == "POST /checkout")
`)
	const text = `
shop  POST /checkout  server  0..300ms  #s http.route=/checkout
  payment  POST /charge  server  10..20ms
cron  sweep  internal  400..500ms  trace=#s
  cron  delete  internal  410..420ms  trace=#s
stock  POST /reserve  server  30..40ms  parent=missing trace=#s
`
	for seed := range uint64(rounds) {
		for key, v := range play(t, suite, text, shuffled(rand.New(rand.NewPCG(seed, 0)))) {
			if v.Outcome == assertions.Fail {
				t.Errorf("seed %d: %s fails", seed, key)
			}
		}
	}
}

// What a span follows from is the span that it links to, though that may come after the
// parent, whose message would have waited too long.
func TestDelaysDoNotDependOnArrival(t *testing.T) {
	suite := mustLoad(t, `
version: 1
flows:
  checkout:
    origin: http.route == "/checkout"
    calls: shop ~> mailer within 50ms
`)
	const text = `
shop  POST /checkout  server  0..300ms  http.route=/checkout
  shop  prepare  internal  5..6ms
    mailer  process  consumer  200..210ms  link=#sent
  shop  send  producer  190..195ms  #sent
`
	for seed := range uint64(rounds) {
		for key, v := range play(t, suite, text, shuffled(rand.New(rand.NewPCG(seed, 0)))) {
			if v.Outcome != assertions.Pass {
				t.Errorf("seed %d: %s is %s", seed, key, v.Outcome)
			}
		}
	}
}

// Who was seen to answer at an address answers there, whether call or answer came first.
func TestPeersDoNotDependOnArrival(t *testing.T) {
	suite := mustLoad(t, `
version: 1
flows:
  checkout:
    origin: http.route == "/checkout"
    expect:
      - none(spans, .status == "error")
`)
	const text = `
shop  POST /checkout  server  0..300ms  http.route=/checkout
  shop  charge  client  10..50ms  server.address=payment.example
    proxy  egress  client  15..45ms
  shop  refund  client  60..90ms  server.address=payment.example
`
	for seed := range uint64(rounds) {
		for key, v := range play(t, suite, text, shuffled(rand.New(rand.NewPCG(seed, 0)))) {
			if v.Outcome != assertions.Inconclusive {
				t.Errorf("seed %d: %s is %s", seed, key, v.Outcome)
			}
		}
	}
}

// Each of these would let a word latch too early. If the test above did not see
// it, it would prove nothing about the class that stands in the table.
var mutations = []struct {
	word  string
	wrong lang.Class
}{
	{"any", lang.Down}, {"all", lang.Up}, {"none", lang.Up}, {"exists", lang.Down}, {"empty", lang.Up}, {"count", lang.Down},
	{"causes", lang.Down}, {"before", lang.Up}, {"after", lang.Up}, {"followedBy", lang.Down},
	{"overlapping", lang.Up}, {"sequential", lang.Up}, {"longest", lang.Down}, {"len", lang.Down}, {"inOrder", lang.Down},
}

func TestWrongClassesAreSeen(t *testing.T) {
	for _, m := range mutations {
		w := lang.WordNamed(m.word)
		right := w.Class
		w.Class = m.wrong
		seen := anyContradiction(t)
		w.Class = right
		if !seen {
			t.Errorf("%s is %s, and nothing notices when it is taken for %s", m.word, right, m.wrong)
		}
	}
}

func anyContradiction(t testing.TB) bool {
	for _, path := range propertySuites {
		for range contradictions(t, loadSuite(t, path), 3) {
			return true
		}
	}
	return false
}
