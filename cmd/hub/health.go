package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/spoke"
)

func healthCommand() *cobra.Command {
	var ready bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "healthcheck",
		GroupID: groupRun,
		Short:   "Ask a running hub how it is",
		Long: `Ask a running hub whether it is alive, or with --ready whether it can do all it
promises. One line says so; the exit code is 0 for yes and 1 for no. A container
without a shell uses it as HEALTHCHECK CMD ["hub", "healthcheck"].`,
		Example: `hub healthcheck
hub healthcheck --ready --timeout 1s`,
		Args: noArgs,
	}
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it is ready, not only alive")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	address, tokenFile := urlFlag(cmd), tokenFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := positive("timeout", timeout); err != nil {
			return err
		}
		hub, err := connect(*address, *tokenFile)
		if err != nil {
			return err
		}
		defer hub.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		path, state := "livez", "alive"
		if ready {
			path, state = "readyz", "ready"
		}
		if err := probe(ctx, hub, path); err != nil {
			return &exitError{exitFailure, fmt.Errorf("not %s: %w", state, err)}
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), state)
		return err
	}
	return cmd
}

// probe asks a hub how it is; the error is what a person wants to know.
func probe(ctx context.Context, hub *spoke.Client, path string) error {
	answer, err := hub.Do(ctx, http.MethodGet, path, nil, nil, nil)
	var refused *spoke.Refusal
	var away *spoke.UnreachableError
	switch {
	case errors.As(err, &refused):
		var why struct{ Reasons []string }
		_ = json.Unmarshal(refused.Body, &why) // somebody else may have answered
		return errors.New(cmp.Or(strings.Join(why.Reasons, "; "), refused.Detail, refused.Title))
	case errors.As(err, &away):
		return fmt.Errorf("no answer from %s: %w", away.Address, away.Err)
	case err != nil:
		return err
	}
	return answer.Body.Close()
}
