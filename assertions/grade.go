package assertions

import (
	"slices"

	"github.com/followspan/followspan/trace"
)

// Require makes a pass that rests on an absence inconclusive unless the absence is
// known at least this well. Without it Quiet is enough: no open edge, and silence.
// It is called before the flow closes.
func (in *Instance) Require(g Grade) { in.required = g }

// grade says how well the absences are known that an assertion rests on, and
// unless they are proved what is missing for that.
func (in *Instance) grade(s *checkState, f trace.Flow) (Grade, string) {
	if len(f.OpenEdges()) > 0 {
		return Unproved, ""
	}
	services := in.senders(s)
	if doubt := unproved(f.Marks(), services); doubt != "" {
		return Quiet, doubt
	}
	for _, m := range f.Marks() {
		if m.Stray != "" && (services == nil || slices.Contains(services, m.Service)) {
			return Quiet, m.Service + " sent spans meanwhile that belong to no flow, such as " + m.Stray + "; a context may have been lost"
		}
	}
	return Proved, ""
}

// senders are the services whose spans an assertion is about; nil if it may be
// those of any.
func (in *Instance) senders(s *checkState) (services []string) {
	sets := slices.Clone(s.that.Program().Sets)
	if s.when != nil {
		sets = append(sets, s.when.Program().Sets...)
	}
	if s.target >= 0 {
		sets = append(sets, s.target)
	}
	for _, i := range sets {
		service := in.serviceOf(i)
		if service == "" {
			return nil
		}
		services = append(services, service)
	}
	return services
}

// serviceOf is what the service of a set's members must be, "" if they may have any.
func (in *Instance) serviceOf(set int) string {
	for set != 0 {
		plan := in.sets[set].plan
		if plan.service != "" {
			return plan.service
		}
		if plan.computed != nil {
			return ""
		}
		set = plan.base
	}
	return ""
}

// unproved says which process may have held something back, "" if none may. Of a
// service that no process is known of nothing is known.
func unproved(marks []trace.Mark, services []string) string {
	for _, service := range services {
		if !slices.ContainsFunc(marks, func(m trace.Mark) bool { return m.Service == service }) {
			return service + " never sent a span"
		}
	}
	for _, m := range marks {
		if m.Doubt != "" && (services == nil || slices.Contains(services, m.Service)) {
			return m.Service + ": " + m.Doubt
		}
	}
	if len(marks) == 0 {
		return "no process is known"
	}
	return ""
}
