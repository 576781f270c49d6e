package run

import "golang.org/x/sys/windows"

const (
	errRefused = windows.WSAECONNREFUSED
	errReset   = windows.WSAECONNRESET
)
