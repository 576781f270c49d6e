package main

import (
	"github.com/spf13/cobra"

	"github.com/followspan/followspan/assertions"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:                   "schema",
		DisableFlagsInUseLine: true,
		Short:                 "Print the JSON Schema of flow files, for editors",
		Long: `schema prints the JSON Schema (2020-12) of flow files. Editors complete, explain
and check the keys of a flow file by it; followspan lint checks all of the file.

In editors with the YAML language server, such as VS Code with the YAML extension,
make this the first line of the flow file:

  # yaml-language-server: $schema=flow.schema.json`,
		Example: `  followspan schema > flow.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(assertions.Schema())
			return err
		},
	}
}
