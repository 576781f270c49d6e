// Package pb is what the shop's services say to each other over gRPC.
//
// All of it but this file is generated from the .proto files beside it.
package pb

//go:generate go run ./generate
