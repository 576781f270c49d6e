package lang

import (
	"strings"
	"testing"

	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

const world = `
web   POST /order  server    0..200ms  #web http.route=/order http.status_code=200 event=cached@5ms event=untimed@-1767225600s
  shop  Place  server  10..180ms  #shop order.id=o-1 amount=4200 price=42.0 big=9007199254740993 flag=true tags=["a","b"] nested.key=v text="Hello World" digits="4200" body="{\"a\":{\"b\":[1,2]}}"
    shop  pay  client  20..80ms  #pay
      bank  Charge  server  25..75ms  #bank order.id=o-1 error
    shop  pay  client  90..120ms  #pay2
    shop  send  producer  130..131ms  #pub messaging.destination.name=orders
mail  receive  consumer  140..150ms  #mail link=#pub order.id=o-2
`

// worldFrame is the sketch above as a closed flow; the sets are spans, shop, pay,
// both and none.
func worldFrame(t testing.TB) *Frame {
	f, _ := worldAndGraph(t)
	return f
}

func worldAndGraph(t testing.TB) (*Frame, *trace.Graph) {
	t.Helper()
	s := sketch.MustParse(world)
	g := trace.NewGraph()
	nodes := map[trace.SpanID]trace.Node{}
	for _, a := range s.Arrivals {
		nodes[a.Span.ID()] = g.Add(a.Span, a.At)
	}
	w := g.OpenFlow(trace.FlowRecord{ID: "w"})
	var all []trace.Node
	for n := range trace.Node(g.Len()) {
		span := g.View().Span(n)
		if p, ok := nodes[span.ParentID()]; ok {
			g.SetParent(n, p)
		}
		for l := range span.Links() {
			g.Connect(nodes[l.SpanID()], n, trace.ByLink)
		}
		w.Join(n, trace.ByTrace)
		all = append(all, n)
	}
	flow := w.Freeze(trace.FlowState{Origin: nodes[s.Labels["web"].ID()], Trigger: trace.None, State: trace.Closed})
	f := &Frame{View: flow.View, Origin: nodes[s.Labels["web"].ID()], Order: func() Order { return trace.NewOrder(flow, 0) }}
	node := func(label string) trace.Node { return nodes[s.Labels[label].ID()] }
	f.Sets = []SetState{{Nodes: f.ordered(all)}, {Nodes: []trace.Node{node("shop")}}, {Nodes: []trace.Node{node("pay"), node("pay2")}},
		{Nodes: []trace.Node{node("shop"), node("mail")}}, {}, {Nodes: []trace.Node{node("bank")}}, {Nodes: []trace.Node{node("mail")}}}
	return f, g
}

func (f *Frame) ordered(nodes []trace.Node) (out []trace.Node) {
	f.Guard(func() { out = f.ByStart(nodes) })
	return out
}

var worldScope = &Scope{Sets: []string{"spans", "shop", "pay", "both", "nobody", "bank", "mail"}, Params: map[string]Value{"limit": durationValue(1e8)}}

// long is longer than what is shown of a string.
var long = strings.Repeat("x", longest)

// Each row is an expression and what it is, as Show formats it; an error starts
// with "error: ".
var evaluations = []struct{ source, want string }{
	// numbers
	{"shop.attrs.big == 9007199254740993", "true"}, {"shop.attrs.big == 9007199254740992.0", "false"}, {"shop.attrs.big > 9007199254740992.0", "true"},
	{"shop.attrs.amount == 4200.0", "true"}, {"shop.attrs.price == 42", "true"}, {"7 / 2", "3.5"}, {"7 % 2", "1"}, {"2 ** 10", "1024.0"},
	{"9223372036854775807 + 1", "9.223372036854776e+18"}, {"1 / 0", "error: cannot compute"},
	{"shop.attrs.amount == shop.attrs.digits", "error: cannot compare"}, {"float(shop.attrs.digits) == shop.attrs.amount", "true"},
	{"int(shop.attrs.text) == nil", "true"}, {"-shop.attrs.amount", "-4200"}, {"abs(-9223372036854775807 - 1) > 0", "true"}, {"len(9223372036854775806..9223372036854775807)", "2"}, {"len((-9223372036854775807)..9223372036854775807)", "error: a range needs"}, {"len(3..1)", "0"},
	{`shop.duration > limit * float("NaN")`, "error: cannot compute"}, {"shop.duration < limit * 1e30", "error: cannot compute"}, {"shop.duration / 1e-30 == 1s", "error: cannot compute"}, {"abs(-3)", "3"}, {"round(2.5)", "3"},
	// durations and times
	{"shop.duration", "170ms"}, {"shop.duration * 2", "340ms"}, {"shop.duration / 2", "85ms"}, {"shop.duration / 17ms", "10.0"}, {"shop.end - shop.start == shop.duration", "true"},
	{"shop.start - origin.start", "10ms"}, {"shop.start + 5ms < pay.first.start", "true"}, {"-limit < 0ms", "true"}, {"1.5s == 1500ms", "true"}, {"1m + 30s", "1m30s"}, {"1m30s == 90s and 1h2m3.5s == 3723.5s", "true"}, {"limit < 1m30s", "true"},
	// missing
	{"shop.no.thing == shop.no.thing", "false"}, {"shop.no.thing != 5", "false"}, {"shop.no.thing == nil", "true"}, {"shop.order.id != nil", "true"},
	{"shop.no.thing + 1 == nil", "true"}, {`shop.no.thing contains ""`, "false"}, {"not (shop.no.thing == 1)", "true"}, {"shop.no.thing ?? 3", "3"}, {"nobody.first == nil", "true"},
	{"nobody.order.id == nil", "true"}, {"isInt(shop.no.thing) == nil", "true"}, {"shop.parent.parent == nil", "true"}, {"nobody == nil", "true"},
	// Kleene
	{"false and shop.attrs.text > 5", "false"}, {"true or shop.attrs.text > 5", "true"}, {"true and shop.attrs.text > 5", "error: cannot compare"},
	{"shop.attrs.text > 5 or false", "error: cannot compare"}, {"any(spans, .attrs.text > 5)", "error: cannot compare"},
	// sets
	{"spans.count", "7"}, {"pay.count == 2 and pay.exists and nobody.empty", "true"}, {"pay.first.duration", "60ms"}, {"pay.last.duration", "30ms"}, {"pay[1].duration", "30ms"}, {"pay[-1].duration", "30ms"},
	{"pay[5] == nil", "true"}, {"pay.gaps", "[10ms]"}, {"all(pay.pairs, .a.end <= .b.start)", "true"}, {"pay.parent == shop", "true"}, {"shop.children.count", "3"}, {"pay.service", `"shop"`},
	{"both.order.id", "error: both.order.id has no single value"}, {"all(both, .order.id != nil)", "true"}, {"any(spans, it in pay)", "true"}, {"count(spans, it in pay)", "2"},
	{"all(nobody, .x.y == 1)", "false"}, {"none(nobody, .x.y == 1)", "true"}, {"all([], it > 1)", "true"}, {"all(values(groupBy(nobody, .name)), len(it) > 0)", "false"}, {"one(pay, .duration > 50ms)", "true"},
	{"filter(spans, .kind == \"client\").count", "2"}, {"spans.where(.kind == \"client\").count", "2"}, {"map(pay, .duration)", "[60ms, 30ms]"}, {"sum(pay, .duration)", "90ms"}, {"max(map(pay, .duration))", "60ms"},
	{"min(pay, .duration)", "30ms"}, {"mean(pay, .duration)", "45ms"}, {"len(groupBy(spans, .service))", "4"}, {"groupBy(spans, .service)[\"shop\"].count", "4"}, {"len(groupBy(spans, .order.id))", "3"},
	{"distinct(spans, .order.id)", `["o-1", "o-2"]`}, {"sortBy(pay, .duration)[0].duration", "30ms"}, {"find(spans, .kind == \"client\").duration", "60ms"}, {"findLast(spans, .kind == \"client\").duration", "30ms"},
	{"pay[0:1].count", "1"}, {"[1, 2, 3][1:]", "[2, 3]"}, {"2 in [1, 2.0]", "true"}, {`shop.attrs.digits in [4200]`, "error: cannot compare shop.attrs.digits (the string"}, {`shop.attrs.amount not in ["4200"]`, "error: cannot compare"}, {`shop.attrs.amount in ["4200", 4200]`, "true"}, {`not (shop.attrs.tags contains 5)`, "error: cannot compare"},
	{"5 in []", "false"}, {"shop.attrs.amount in map(spans, .no.thing)", "false"}, {"shop in spans", "true"}, {"shop in criticalPath(origin)", "true"}, {"pay not in spans", "false"}, {"shop in pay", "false"}, {"nobody in spans", "false"},
	{"both in bank.ancestors", "error: 1 of the 2 spans of both are in bank.ancestors"}, {"bank.parent in pay", "true"}, {"pay.first in sortBy(pay, .duration)", "true"}, {"shop.attrs.digits not in spans", "error: cannot compare"}, {"shop.attrs.amount in shop.attrs", "error: cannot compare"},
	{"1..3", "[1, 2, 3]"}, {"5 in 1..9", "true"},
	// relations
	{"shop.calls(bank)", "true"}, {"bank.calls(shop)", "false"}, {"shop.calls(pay)", "false"}, {"origin.calls(bank)", "true"}, {"origin.callsDirectly(bank)", "false"}, {"shop.callsDirectly(bank)", "true"},
	{"origin.callsDirectly(bank, [\"shop\"])", "true"}, {"shop.causes(mail)", "true"}, {"mail.causedBy(origin)", "true"}, {"shop.calls(mail)", "false"}, {"spans.under(pay).count", "1"}, {"bank.caller == pay.first", "true"},
	{"bank.ancestors.count", "3"}, {"origin.descendants.count", "5"}, {"mail.links[0].span.name", `"send"`}, {"any(mail.links, .span.kind == \"producer\")", "true"}, {"filter(spans, .kind == \"producer\").linkedBy == mail", "true"},
	{"shop.child(pay).count", "2"}, {"pay.parent(spans) == shop", "true"}, {"origin.descendant(bank) == bank", "true"}, {"bank.ancestor(shop) == shop", "true"}, {"pay.first.sibling(pay) == pay.last", "true"},
	{"any(origin.events, .name == \"cached\" and .time - origin.start == 5ms)", "true"}, {"origin.events[1].time == nil", "true"}, {"mail.isRoot", "true"}, {"bank.isRoot", "false"}, {"mail.trace.count", "1"}, {"bank.root == origin", "true"},
	// order
	{"pay.first.before(pay.last)", "true"}, {"pay.last.after(pay.first)", "true"}, {"pay.before(mail)", "true"}, {"nobody.before(pay)", "false"}, {"pay.first.followedBy(pay.last, 10ms)", "true"}, {"pay.first.followedBy(pay.last, 9ms)", "false"},
	{"pay.last.precededBy(pay.first, 10ms)", "true"}, {"pay.sequential()", "true"}, {"pay.overlapping()", "false"}, {"pay.maxConcurrency", "1"}, {"spans.maxConcurrency", "4"}, {"gap(pay.first, pay.last)", "10ms"},
	{"inOrder(origin, shop, pay, mail)", "true"}, {"inOrder(mail, shop)", "false"},
	// time
	{"total(pay)", "90ms"}, {"longest(pay)", "60ms"}, {"shortest(pay)", "30ms"}, {"p50(pay)", "30ms"}, {"p95(pay)", "60ms"}, {"p99(pay, .duration)", "60ms"}, {"callTime(bank)", "60ms"}, {"asyncDelay(mail)", "9ms"},
	{"shop.selfTime", "79ms"}, {"shop.maxGap", "49ms"}, {"criticalPath(shop).count", "5"}, {"criticalShare(shop, .service == \"bank\") < 0.3", "true"},
	// data
	{"same(shop.order.id, bank.order.id, \"o-1\")", "true"}, {"same(shop.order.id, mail.order.id)", "false"}, {"same(shop.order.id, nobody.order.id)", "false"}, {"same(shop.attrs.amount, shop.attrs.digits)", "false"},
	{"conserved(shop.attrs.amount, 4200)", "true"}, {"conserved(shop.attrs.amount, 4201)", "false"}, {"conserved(0.1 + 0.2, 0.3)", "true"}, {`conserved(float("Inf"), 5)`, "false"}, {`conserved(float("Inf"), float("Inf"))`, "true"}, {`conserved(float("Inf"), float("-Inf"))`, "false"}, {`conserved(float("NaN"), float("NaN"))`, "false"}, {"conserved(shop.attrs.amount, shop.attrs.digits)", "false"},
	{"exactlyOnce(pay, .name)", "false"}, {"exactlyOnce(both, .order.id)", "true"}, {"exactlyOnce(spans, .order.id)", "false"}, {"atLeastOnce(both, .order.id)", "true"}, {"exactlyOnce(nobody, .name)", "false"},
	{"isInt(shop.attrs.amount)", "true"}, {"isInt(shop.attrs.price)", "false"}, {"isFloat(shop.attrs.price)", "true"}, {"isString(shop.attrs.digits)", "true"}, {"isBool(shop.attrs.flag)", "true"}, {"isList(shop.attrs.tags)", "true"},
	// attributes
	{"origin.http.response.status_code", "200"}, {"origin.http.status_code", "200"}, {"shop.nested.key", `"v"`}, {"shop.attrs[\"order.id\"]", `"o-1"`}, {"shop.resource.service.name", `"shop"`}, {"shop.service.name", `"shop"`},
	{"\"a\" in shop.attrs.tags", "true"}, {"shop.attrs.tags contains \"b\"", "true"}, {"shop.attrs.flag", "true"}, {"shop.attrs.text == \"Hello World\"", "true"},
	// maps
	{"len(bank.attrs)", "1"}, {"keys(shop.attrs)[0:2]", `["amount", "big"]`}, {"keys(bank.attrs)", `["order.id"]`}, {"values(bank.attrs)", `["o-1"]`},
	{`any(values(shop.attrs), isString(it) and it contains "World")`, "true"}, {`none(values(bank.attrs), it contains "World")`, "true"}, {`any(values(shop.attrs), it contains "World")`, "true"}, {`any(values(shop.attrs), it contains "Mars")`, "error: it contains"},
	{`"order.id" in shop.attrs`, "true"}, {`"order.total" in shop.attrs`, "false"}, {`"service.name" in shop.attrs`, "false"}, {`"service.name" in shop.resource`, "true"}, {`"http.response.status_code" in origin.attrs`, "true"},
	{`all(spans, {let s = it; all(keys(.attrs), it in s.attrs and s.attrs[it] != nil)})`, "true"}, {`any(spans, any(keys(.attrs), it startsWith "mess"))`, "true"}, {`shop.attrs["no such"] == nil`, "true"},
	{"keys(shop.resource)[2]", `"service.name"`}, {`shop.scope["name"]`, `"sketch"`}, {`"name" in keys(shop.scope)`, "true"}, {"shop.attrs == shop.attrs", "true"}, {"shop.attrs == bank.attrs", "false"},
	{"len(nobody.attrs) == nil", "true"}, {"any(values(nobody.attrs), true)", "false"}, {"keys(shop.parent.parent.attrs) == nil", "true"}, {"both.attrs", "error: both.attrs has no single value"},
	{"keys(json(shop.attrs.body))", `["a"]`}, {"values(json(shop.attrs.body).a)[0][1]", "2"}, {`"a" in json(shop.attrs.body)`, "true"}, {"len(origin.events[0].attrs)", "0"}, {"let a = shop.attrs; a.order.id", `"o-1"`},
	// text
	{"shop.attrs.text contains \"World\"", "true"}, {"shop.attrs.text matches \"^H.*d$\"", "true"}, {"shop.attrs.text startsWith \"Hell\"", "true"}, {"lower(shop.attrs.text)", `"hello world"`}, {"upper(\"a\")", `"A"`},
	{"split(shop.attrs.text, \" \")", `["Hello", "World"]`}, {"capture(shop.attrs.text, \"(W.*)\")", `"World"`}, {"capture(shop.attrs.text, \"x(.*)\") == nil", "true"}, {"urlDecode(\"a%20b+c\")", `"a b c"`}, {"urlDecode(\"%zz\") == nil", "true"},
	{"json(shop.attrs.body).a.b[1]", "2"}, {"json(\"nope\") == nil", "true"}, {`json("{}]") == nil`, "true"}, {`json("[1]}") == nil`, "true"}, {`json("1 2") == nil`, "true"}, {`json(" [1] ")`, "[1]"}, {"int(true) == nil", "true"}, {"join([\"a\", \"b\"], \"-\")", `"a-b"`}, {"trim(\" a \")", `"a"`}, {"len(shop.attrs.text)", "11"}, {"\"a\" + \"b\"", `"ab"`}, {"string(5)", `"5"`},
	{"shop.attrs.amount contains \"4\"", "error: shop.attrs.amount contains"},
	// all of a value counts, also what is too long to be shown
	{`string(["` + long + `EICAR"]) contains "EICAR"`, "true"}, {`string(json("{\"a\": [\"` + long + `EICAR\"]}")) contains "EICAR"`, "true"}, {`join([[1, "` + long + `EICAR"]]) contains "EICAR"`, "true"},
	{`json("{\"a\": [\"` + long + `1\"]}") == json("{\"a\": [\"` + long + `2\"]}")`, "false"}, {`json("{\"a\": {\"b\": 1}}") == json("{\"a\": {\"b\": 1.0}}")`, "true"},
	{`len(distinct([json("{\"a\": [\"` + long + `1\"]}"), json("{\"a\": [\"` + long + `2\"]}")]))`, "2"}, {`json("{\"a\": [1]}") == json("{\"a\": [1, 2]}")`, "false"},
	// let, if, nesting
	{"let n = pay.count; n * 2", "4"}, {"pay.exists ? pay.count : 0", "2"}, {"if nobody.exists { 1 } else { 2 }", "2"}, {"any(pay, {let p = it; any(bank, .parent == p)})", "true"}, {"all(pay, any(spans, .name == \"Place\"))", "true"},
	{"not (pay.count == 1)", "true"}, {"(not pay.exists) == false", "true"}, {"pay.count not in [1, 3]", "true"}, {"pay | count()", "2"}, {"limit", "100ms"},
}

func TestEvaluations(t *testing.T) {
	f := worldFrame(t)
	for _, row := range evaluations {
		e, found := Compile(row.source, worldScope)
		if e == nil {
			t.Errorf("%s: %v", row.source, found)
			continue
		}
		v := e.Value(f)
		got := f.Show(v)
		if d := v.Doubt(); v.kind == Unknown && d.Why == Failed {
			got = "error: " + d.Text
		}
		if got != row.want && !(strings.HasPrefix(row.want, "error") && strings.HasPrefix(got, row.want)) {
			t.Errorf("%s: got %s, want %s", row.source, got, row.want)
		}
	}
}

// TestNothingIsDecidedOnPartOfTheData takes the closed flow for an open one: what
// is known then must be what is known in the end.
func TestNothingIsDecidedOnPartOfTheData(t *testing.T) {
	closed, open := worldFrame(t), worldFrame(t)
	open.Open = true
	for i := range open.Sets {
		open.Sets[i].Doubt = arriving
	}
	for _, row := range evaluations {
		e, found := Compile(row.source, worldScope)
		if e == nil {
			t.Fatal(found)
		}
		early, final := e.Value(open), e.Value(closed)
		if early.kind == Bool && final.kind == Bool && early != final {
			t.Errorf("%s: %s while open, %s in the end", row.source, open.Show(early), closed.Show(final))
		}
	}
}
