// Package senders sends spans to followspan with the SDKs that services use: that
// of Go and that of Node.js. It is a module of its own, so that the SDKs are no
// dependency of followspan's, and holds nothing but tests.
package senders
