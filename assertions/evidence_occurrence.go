package assertions

import (
	"fmt"
	"slices"

	"github.com/followspan/followspan/assertions/internal/lang"
	"github.com/followspan/followspan/trace"
)

// occurrences explains exactlyOnce and atLeastOnce.
func (x *explainer) occurrences(c *lang.Expr) {
	all, _ := c.Occurrences(x.frame)
	if len(all) == 0 {
		x.nothing(c.Args[0])
		x.note("%s() over nothing proves nothing.", c.Word.Name)
		return
	}
	key, noun := subject(c.Args[1]), "span"
	byLink := slices.IndexFunc(all, func(o lang.Occurrence) bool { return o.Of != trace.None })
	if byLink >= 0 {
		noun = "message"
	}
	if absent := without(all); absent > 0 {
		x.Why = fmt.Sprintf("%d of %s without %s", absent, counted(len(all), noun), key)
		x.keyed(all, key)
	} else if again := repeated(all); len(again) > 0 {
		x.Why = fmt.Sprintf("%s is %s for %s, exactly 1 allowed", key, x.show(again[0].Key), counted(len(again), noun))
		x.keyed(again, key)
	}
	if byLink >= 0 {
		x.note("%s has no %s itself: it counts once for each of its links into the flow, with the %s of the link, else of the span that it links to.",
			x.name(all[byLink].Node), key, key)
	}
}

// without is how many lack the key.
func without(all []lang.Occurrence) (n int) {
	for _, o := range all {
		if o.Key.Kind() == lang.Missing {
			n++
		}
	}
	return n
}

// repeated are the first that share their key.
func repeated(all []lang.Occurrence) []lang.Occurrence {
	for i, o := range all {
		again := slices.DeleteFunc(slices.Clone(all[i:]), func(p lang.Occurrence) bool { return !lang.Same(o.Key, p.Key) })
		if len(again) > 1 {
			return again
		}
	}
	return nil
}

// keyed shows what counts with the key that should tell it apart, and what else does.
func (x *explainer) keyed(all []lang.Occurrence, key string) {
	var nodes []trace.Node
	for _, o := range all {
		nodes = append(nodes, o.Node)
	}
	keys := slices.DeleteFunc(x.differing(nodes), func(k string) bool { return k == key })
	for _, o := range all {
		text := key + " is " + x.show(o.Key)
		if o.Key.Kind() == lang.Missing {
			text = "no " + key
		}
		if o.Of != trace.None {
			text += ", by its link to " + x.label(element{Value: lang.SpanValue(o.Of)})
		}
		if more := x.valuesOfKeys(o.Node, keys); more != "" {
			text += ", " + more
		}
		x.span(o.Node, "%s", text)
	}
	slices.Sort(nodes)
	x.repetition(slices.Compact(nodes))
}
