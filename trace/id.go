package trace

import (
	"encoding/hex"
	"math"
	"strings"
	"time"
)

// TraceID identifies a trace. The zero TraceID is invalid.
type TraceID [16]byte

// SpanID identifies a span within its trace. The zero SpanID means "no span".
type SpanID [8]byte

func (id TraceID) IsZero() bool   { return id == TraceID{} }
func (id SpanID) IsZero() bool    { return id == SpanID{} }
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }
func (id SpanID) String() string  { return hex.EncodeToString(id[:]) }

// Short is enough of an id for a person to find the trace by: eight digits of those
// that an id of 64 bits has, or of a system that counts.
func (id TraceID) Short() string { return id.Digits(8) }

// Digits is Short with n digits, or as many as there are: some systems begin all ids
// with the time.
func (id TraceID) Digits(n int) string {
	digits := id.String()
	for _, start := range []int{len(digits) - 8, len(digits) / 2} {
		if strings.Trim(digits[:start], "0") == "" {
			digits = digits[start:]
			break
		}
	}
	return digits[:min(n, len(digits))]
}

// Time is a moment in nanoseconds since the Unix epoch, exactly as a service
// reported it. Zero means that none was given.
type Time uint64

// TimeOf converts a moment of the local clock; moments before 1970 become 0.
func TimeOf(t time.Time) Time { return Time(max(t.UnixNano(), 0)) }

// Sub returns t − u, saturating where the difference does not fit a Duration.
func (t Time) Sub(u Time) time.Duration {
	if t >= u {
		return time.Duration(min(uint64(t-u), math.MaxInt64))
	}
	return -time.Duration(min(uint64(u-t), math.MaxInt64))
}

// Add returns t + d, saturating at both ends of the range.
func (t Time) Add(d time.Duration) Time {
	if d >= 0 {
		if sum := t + Time(d); sum >= t {
			return sum
		}
		return math.MaxUint64
	}
	back := Time(-(d + 1)) + 1 // −d would overflow for the smallest Duration.
	if back > t {
		return 0
	}
	return t - back
}

// Std returns t as a time.Time in UTC. Times beyond the year 2262 saturate.
func (t Time) Std() time.Time {
	return time.Unix(0, int64(min(uint64(t), math.MaxInt64))).UTC()
}

// String formats t as RFC 3339 with nanoseconds.
func (t Time) String() string { return t.Std().Format(time.RFC3339Nano) }

// Kind is the role of a span in a call, numbered as in OTLP.
type Kind uint8

const (
	KindUnspecified Kind = iota
	Internal
	Server
	Client
	Producer
	Consumer
)

var kindNames = [...]string{"unspecified", "internal", "server", "client", "producer", "consumer"}

// String returns the lower-case name that flow files use; a number beyond those
// of OTLP is "unspecified".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// ParseKind is the inverse of String.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kindNames {
		if s == name {
			return Kind(k), true
		}
	}
	return KindUnspecified, false
}

// Status is the outcome that a span reported, numbered as in OTLP.
type Status uint8

const (
	Unset Status = iota
	Ok
	Error
)

var statusNames = [...]string{"unset", "ok", "error"}

// String returns the lower-case name that flow files use.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return statusNames[0]
}
