// Package web serves what was received to people and programs over HTTP.
package web
