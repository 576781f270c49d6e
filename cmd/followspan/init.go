package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

//go:embed starter.flow.yaml
var starter []byte

const starterName = "followspan.flow.yaml"

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:                   "init [FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Write a commented flow file to start from",
		Long: `init writes a flow file with comments to start from, by default
` + starterName + `. It overwrites nothing; with - it writes to stdout.`,
		Example: `  followspan init
  followspan init e2e/checkout.flow.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := starterName
			if len(args) > 0 {
				path = args[0]
			}
			if path == "-" {
				_, err := c.OutOrStdout().Write(starter)
				return err
			}
			if err := writeStarter(path); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), `wrote %s

Put in the names of your services, then
  followspan lint %s
  followspan run %s
`, path, path, path)
			return err
		},
	}
}

// writeStarter makes a file that does not exist yet.
func writeStarter(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists already, and init overwrites nothing; name another file: followspan init FILE", path)
	case err != nil:
		return fmt.Errorf("write the flow file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(starter)
	return err
}
