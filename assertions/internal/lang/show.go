package lang

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/followspan/followspan/trace"
)

// most is how many elements of a container are shown.
const most = 3

// describe names the type and the content of a value: `the string "42.00"`.
func describe(v Value) string {
	switch v.kind {
	case Missing, Unknown:
		return v.kind.String()
	case Set:
		return counted(len(v.ref.(*spanSet).nodes), "span")
	case List:
		return fmt.Sprintf("a list of %d", len(v.ref.(*list).elems))
	case Span, Event, Link, Pair, Run, Groups, Map:
		return "a " + v.kind.String()
	}
	return "the " + v.kind.String() + " " + format(v)
}

// describe names an operand with its value: `payment.amount (the string "42.00")`.
func (e *Expr) describe(f *Frame, v Value) string {
	if e.Op == OpLiteral {
		return describe(v)
	}
	return e.text + " (" + describe(v) + ")"
}

// found says what an operand is: `payment.amount is the string "42.00"`.
func (e *Expr) found(v Value) string {
	if e.Op == OpLiteral {
		return "this is " + describe(v)
	}
	return e.text + " is " + describe(v)
}

// Show formats a value for people. Spans are named by service and name.
func (f *Frame) Show(v Value) string {
	switch v.kind {
	case Unknown:
		if d := v.Doubt(); d.Why == Failed {
			return "error"
		}
		return "undecided"
	case Span:
		return f.spanName(v.node())
	case Set:
		return f.showNodes(v.ref.(*spanSet).nodes)
	case List:
		return f.showList(v.ref.(*list).elems)
	case Groups:
		return f.showGroups(v.ref.(*groups))
	case Pair:
		p := v.ref.(pair)
		return "{a: " + f.spanName(p.a) + ", b: " + f.spanName(p.b) + "}"
	case Time:
		if f.Origin != trace.None {
			return offset(v.time().Sub(f.span(f.Origin).Start()))
		}
	case Run:
		return "a run of " + FormatDuration(v.ref.(*RunState).Duration)
	}
	return format(v)
}

func offset(d time.Duration) string {
	if d < 0 {
		return FormatDuration(d)
	}
	return "+" + FormatDuration(d)
}

func format(v Value) string {
	switch v.kind {
	case Bool:
		return strconv.FormatBool(v.num == 1)
	case Int:
		return strconv.FormatInt(v.int(), 10)
	case Float:
		return trace.DoubleValue(v.float()).String()
	case String:
		return quote(v.str)
	case Bytes:
		return trace.BytesValue([]byte(v.str)).String()
	case Duration:
		return FormatDuration(v.duration())
	case Time:
		return v.time().String()
	case Map:
		return shorten(written(v))
	case List:
		var parts []string
		for _, e := range v.Elems() {
			parts = append(parts, format(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Event:
		return "event " + quote(v.ref.(trace.Event).Name())
	case Link:
		return "link to " + v.ref.(linkRef).link.SpanID().String()
	}
	return v.kind.String()
}

// longest is how much of a string is shown.
const longest = 120

func shorten(s string) string {
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

func quote(s string) string {
	if r := []rune(s); len(r) > longest {
		return strconv.Quote(string(r[:longest])) + fmt.Sprintf("… (%d characters)", len(r))
	}
	return strconv.Quote(s)
}

// FormatDuration rounds to what a person reads: four digits or so.
func FormatDuration(d time.Duration) string {
	switch a := d.Abs(); {
	case a >= time.Minute:
		d = d.Round(100 * time.Millisecond)
	case a >= time.Second:
		d = d.Round(time.Millisecond)
	case a >= 100*time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	case a >= time.Millisecond:
		d = d.Round(10 * time.Microsecond)
	case a >= time.Microsecond:
		d = d.Round(10 * time.Nanosecond)
	}
	return d.String()
}

func (f *Frame) spanName(n trace.Node) string {
	s := f.span(n)
	if service := s.Service(); service != "" {
		return service + "/" + s.Name()
	}
	return s.Name()
}

func (f *Frame) showNodes(nodes []trace.Node) string {
	switch len(nodes) {
	case 0:
		return "no span"
	case 1:
		return f.spanName(nodes[0])
	}
	return counted(len(nodes), "span")
}

func (f *Frame) showList(elems []Value) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range elems {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == most && len(elems) > most+1 {
			fmt.Fprintf(&b, "and %d more", len(elems)-most)
			break
		}
		b.WriteString(f.Show(v))
	}
	b.WriteByte(']')
	return b.String()
}

func (f *Frame) showGroups(g *groups) string {
	var parts []string
	for i, k := range g.keys {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(g.keys)-most))
			break
		}
		parts = append(parts, f.Show(k)+": "+counted(len(g.sets[i]), "span"))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
