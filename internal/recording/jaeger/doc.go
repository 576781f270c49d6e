// Package jaeger gives Jaeger the files of followspan record to read, and reads what
// Jaeger makes of them. It is a module of its own since it needs Jaeger.
package jaeger
