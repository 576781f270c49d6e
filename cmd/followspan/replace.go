package main

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// replacement is a file that is written anew. What it held before stays until the
// first byte comes, or for good if it is discarded before that.
type replacement struct {
	*os.File
	isNew bool // there was none before
	once  sync.Once
	err   error
	begun bool
}

func replaceFile(path string) (*replacement, error) {
	_, err := os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return &replacement{File: file, isNew: isNew}, nil
}

// begin drops what the file held before.
func (r *replacement) begin() error {
	r.once.Do(func() {
		r.begun = true
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			r.err = r.Truncate(0)
		}
	})
	return r.err
}

// Write begins with the first call.
func (r *replacement) Write(p []byte) (int, error) {
	if err := r.begin(); err != nil {
		return 0, err
	}
	return r.File.Write(p)
}

// Close takes away a file that is new and was not begun.
func (r *replacement) Close() error {
	err := r.File.Close()
	if r.isNew && !r.begun {
		err = errors.Join(err, os.Remove(r.Name()))
	}
	return err
}
