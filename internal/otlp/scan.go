package otlp

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxNesting is how deep lists and maps may nest in an attribute of a request.
// pdata recurses without a limit, and a stack that grows beyond Go's maximum ends
// the process; no real attribute comes near.
const maxNesting = 1000

// level is a message of OTLP in which an attribute can lie.
type level uint8

const (
	leaf level = iota
	request
	resourceSpans
	resource
	scopeSpans
	scope
	span
	event
	link
	keyValue
	anyValue
	arrayValue
	keyValueList
)

// child is the message in a field, leaf if no attribute can lie in it.
func (l level) child(field protowire.Number) level {
	switch l {
	case request:
		return at(field, 1, resourceSpans)
	case resourceSpans:
		switch field {
		case 1:
			return resource
		case 2, 1000: // 1000 was scope_spans before OTLP 0.15
			return scopeSpans
		}
	case scopeSpans:
		switch field {
		case 1:
			return scope
		case 2:
			return span
		}
	case span:
		switch field {
		case 9:
			return keyValue
		case 11:
			return event
		case 13:
			return link
		}
	case resource, keyValueList:
		return at(field, 1, keyValue)
	case scope, event:
		return at(field, 3, keyValue)
	case link:
		return at(field, 4, keyValue)
	case keyValue:
		return at(field, 2, anyValue)
	case arrayValue:
		return at(field, 1, anyValue)
	case anyValue:
		switch field {
		case 5:
			return arrayValue
		case 6:
			return keyValueList
		}
	}
	return leaf
}

func at(field, want protowire.Number, l level) level {
	if field == want {
		return l
	}
	return leaf
}

// scan reads b as the message l and refuses what must not reach a recursive
// decoder: malformed bytes, values nested deeper than depth, and other signals.
func scan(b []byte, l level, depth int) error {
	for len(b) > 0 {
		field, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return malformed(protowire.ParseError(n))
		}
		if l == span {
			if err := foreign(field, typ); err != nil {
				return err
			}
		}
		b = b[n:]
		if typ != protowire.BytesType {
			n, err := scalar(field, typ, b)
			if err != nil {
				return err
			}
			b = b[n:]
			continue
		}
		content, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return malformed(protowire.ParseError(n))
		}
		b = b[n:]
		if err := scanChild(content, l.child(field), depth); err != nil {
			return err
		}
	}
	return nil
}

func scanChild(content []byte, l level, depth int) error {
	switch l {
	case leaf:
		return nil
	case arrayValue, keyValueList:
		if depth == 0 {
			return refuse(TooDeep, fmt.Sprintf("lists and maps may nest %d deep", maxNesting))
		}
		depth--
	}
	return scan(content, l, depth)
}

// scalar returns the length of a value that holds no message. Groups are refused:
// OTLP never had any, and decoders disagree about where one ends, so that a value
// hidden behind a group would escape the scan.
func scalar(field protowire.Number, typ protowire.Type, b []byte) (int, error) {
	if typ == protowire.StartGroupType || typ == protowire.EndGroupType {
		return 0, refuse(Malformed, fmt.Sprintf("field %d is a group", field))
	}
	n := protowire.ConsumeFieldValue(field, typ, b)
	if n < 0 {
		return 0, malformed(protowire.ParseError(n))
	}
	return n, nil
}

// foreign recognises the log records and metrics that stand where a traces request
// has spans: all three requests have the same envelope.
func foreign(field protowire.Number, typ protowire.Type) error {
	switch {
	case field == 1 && typ == protowire.Fixed64Type, // LogRecord.time_unix_nano
		field == 2 && typ == protowire.VarintType,   // severity_number
		field == 8 && typ == protowire.Fixed32Type,  // flags
		field == 11 && typ == protowire.Fixed64Type: // observed_time_unix_nano
		return wrongSignal("logs")
	case field == 7 && typ == protowire.BytesType: // Metric.sum
		return wrongSignal("metrics")
	}
	return nil
}

func wrongSignal(signal string) error {
	return refuse(WrongSignal, fmt.Sprintf("this is a %s request, and it was sent to where spans go", signal))
}

func malformed(err error) error { return &Error{Malformed, err} }
