package collector

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/followspan/followspan/receiver/conformance"
)

// differences.txt is what the Collector's receiver answers otherwise than the table
// wants. UPDATE=1 writes it anew.
const differences = "differences.txt"

// drained is how much of a body that its handler left unread net/http takes in before
// it cuts the connection. A sender that has more to write may not see the answer then.
const drained = 256 << 10

// said is what is wrong, the same in every run. Status 200 is of a body that was read.
func said(c conformance.Case, wrong []string) string {
	if c.Transport != conformance.GRPC && len(c.Payload) > drained && !strings.HasPrefix(wrong[0], "status 200") {
		return fmt.Sprintf("status 400, or the connection is cut; want %d", c.Want.HTTP)
	}
	return strings.Join(wrong, "; ")
}

// The table is right where both agree; where they do not, README.md says why.
func TestConformance(t *testing.T) {
	to := start(t, "nop", "")
	var b strings.Builder
	cases, differing, setPartial := 0, 0, 0
	for _, c := range conformance.Cases() {
		if c.State != conformance.Ready {
			continue
		}
		cases++
		wrong := slices.DeleteFunc(conformance.Run(t.Context(), to, c), func(w string) bool {
			set := strings.HasPrefix(w, "partial_success is set")
			if set {
				setPartial++
			}
			return set
		})
		if len(wrong) > 0 {
			differing++
			fmt.Fprintf(&b, "%s: %s\n", c.Name(), said(c, wrong))
		}
	}
	t.Logf("%d of %d cases have the same answer, but for a partial_success that is set and empty in %d", cases-differing, cases, setPartial)
	if setPartial == 0 {
		t.Error("the Collector leaves partial_success unset now: README.md says otherwise")
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(differences, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(differences)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", differences, diff)
	}
}
