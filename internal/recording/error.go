package recording

import (
	"errors"
	"fmt"
)

// Error says what in a recording could not be understood, and where.
type Error struct {
	File   string
	Unit   string // what Record counts: "line" or "record"
	Record int    // counted from 1; 0 is the file as a whole
	Offset int64  // in bytes; of a compressed file in what it holds
	Err    error
}

// Error names the file, the record and the byte.
func (e *Error) Error() string {
	if e.Record == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: %s %d, byte %d: %v", e.File, e.Unit, e.Record, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrTooLarge is in the errors about what is larger than [Settings].MaxRecord.
var ErrTooLarge = errors.New("exceeds the limit")
