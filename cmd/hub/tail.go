package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
)

func tailCommand() *cobra.Command {
	var asJSON bool
	var config spoke.SubscribeConfig
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
	cmd.Flags().StringVar(&config.Cursor, "cursor", "", "go on after this `cursor` instead of now")
	cmd.Flags().BoolVar(&config.Snapshot, "snapshot", false, "show the latest event of each key first")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	address, tokenFile := urlFlag(cmd), tokenFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, filters []string) error {
		hub, err := connect(*address, *tokenFile)
		if err != nil {
			return err
		}
		defer hub.Close()
		for _, filter := range filters {
			config.Filters = append(config.Filters, nave.Filter(filter))
		}
		p := newPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), time.Local)
		show := p.events
		if asJSON {
			show = jsonPrinter{p}.events
		}
		return tail(cmd.Context(), hub, config, p, show)
	}
	return cmd
}

// tail shows what happens until ctx ends. There must be a hub at the start; one that goes
// away later is waited for.
func tail(ctx context.Context, hub *spoke.Client, config spoke.SubscribeConfig, p *printer, show func([]spoke.Event, string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var nobody *spoke.UnreachableError
	met := false
	config.OnNotice = p.notice
	config.OnStatus = func(s spoke.Status) {
		if !met && s.State == spoke.Waiting && errors.As(s.Cause, &nobody) {
			cancel()
			return
		}
		met = true
		p.status(s)
	}
	for batch, err := range hub.Subscribe(config).Batches(ctx) {
		var reset *nave.ResetError
		if err != nil && !errors.As(err, &reset) { // of which its notice tells
			return err
		}
		if err := show(batch.Events, batch.Cursor); err != nil {
			return err
		}
	}
	if nobody != nil {
		return nobody
	}
	return nil
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
