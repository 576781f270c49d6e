package assertions

import (
	"strings"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

func clone(s string) string { return strings.Clone(s) }

// explain says why a verdict is what it is.
func (in *Instance) explain(v *Verdict, s *checkState, f trace.Flow, guard, that lang.Value) {
	if v.Outcome == Fail {
		v.Evidence.Why = "it does not hold"
	}
	if d := that.Doubt(); d != nil {
		v.Evidence.Why = d.Text
		if d.Try != "" {
			v.Evidence.Try = append(v.Evidence.Try, d.Try)
		}
	}
}

// Awaiting says for each undecided assertion that still needs a span which one,
// such as "email ~ process orders".
func (in *Instance) Awaiting() []string { return nil }

// JudgeRuns says whether the flow happened as often as its runs: asks for. The
// evidence of too few is what did arrive, so v is everything that was received.
func (s *Suite) JudgeRuns(flow string, instances int, v trace.View) Verdict {
	f := s.Flow(flow)
	out := Verdict{Assertion: f.runs, Outcome: Pass}
	if c := f.Decl.Runs; instances < c.Min || c.Max >= 0 && instances > c.Max {
		out.Outcome = Fail
	}
	return out
}
