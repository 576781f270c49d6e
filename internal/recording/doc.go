// Package recording reads and writes recorded traces: files that other tools or
// followspan itself wrote.
//
// Most callers need only [Find], [Reader.Read] and [Writer.Write]. A reader tells
// the kind of a file by its content, streams it, and never holds more of it than its
// largest record. What it cannot understand it reports with the file, the record and
// the byte; any bytes at all may be read without a panic.
package recording
