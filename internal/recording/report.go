package recording

// Report says what was read from one file.
type Report struct {
	File   string
	Format Format
	Spans  int
	// Skipped counts what a mixed file holds beside spans: records of other signals,
	// by signal.
	Skipped map[string]int
	// Adjusted counts the spans whose times Jaeger says it changed.
	Adjusted int
	// Partial counts the traces that Tempo says it did not give whole.
	Partial int
	// Faults are what could not be understood, if the reader is lenient: the first
	// of them, and how many in all.
	Faults     []error
	FaultCount int
}

// keptFaults is how many faults are kept word by word.
const keptFaults = 10

func (r *Report) fault(err error) {
	if len(r.Faults) < keptFaults {
		r.Faults = append(r.Faults, err)
	}
	r.FaultCount++
}

func (r *Report) skip(signal string) {
	if r.Skipped == nil {
		r.Skipped = map[string]int{}
	}
	r.Skipped[signal]++
}

// Format is how a file is written.
type Format string

const (
	Unknown      Format = ""
	OTLPJSON     Format = "OTLP JSON"
	OTLPProtobuf Format = "OTLP protobuf"
	JaegerJSON   Format = "Jaeger JSON"
	ZipkinJSON   Format = "Zipkin JSON"
	RunBundle    Format = "run bundle"
)
