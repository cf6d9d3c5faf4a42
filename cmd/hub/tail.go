package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/navehub/nave"
)

func tailCommand() *cobra.Command {
	var asJSON bool
	s := subscription{silence: silence}
	cmd := &cobra.Command{
		Use:     "tail <filter>…",
		GroupID: groupTalk,
		Short:   "Watch events as they happen",
		Long: `Watch events as they happen, until Ctrl-C. A filter is a topic, or a pattern in
which * stands for one segment and ** at the end for any rest.

When the connection is lost, tail comes back by itself and goes on where it was:
no event is missing, and none comes twice. Standard error tells of it.

` + exitCodes,
		Example: `hub tail 'cards/**'
hub tail 'cards/*' users/7 --snapshot        # first the latest event of each key
hub tail 'cards/**' --json | jq .data        # one JSON object a line`,
		Args: filterArgs,
	}
	cmd.Flags().StringVar(&s.cursor, "cursor", "", "go on after this `cursor` instead of now")
	cmd.Flags().BoolVar(&s.snapshot, "snapshot", false, "show the latest event of each key first")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	address, tokenFile := urlFlag(cmd), tokenFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, filters []string) error {
		hub, err := newAPI(*address, *tokenFile)
		if err != nil {
			return err
		}
		defer hub.close()
		s.hub, s.filters, s.to = hub, filters, subscriberFor(cmd, asJSON)
		return s.follow(cmd.Context())
	}
	return cmd
}

func filterArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("which topics? Name them, or a pattern such as 'cards/**'")
	}
	for _, arg := range args {
		if _, err := nave.ParseFilter(arg); err != nil {
			return usagef("%w", err)
		}
	}
	return nil
}

func subscriberFor(cmd *cobra.Command, asJSON bool) subscriber {
	p := newPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), time.Local)
	if asJSON {
		return jsonPrinter{p}
	}
	return p
}
