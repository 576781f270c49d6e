// Package mermaid gives Mermaid the sequence diagrams of followspan show to parse. It
// is a module of its own since its tests need Node.js and npm.
package mermaid
