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
		hub, err := newAPI(*address, *tokenFile)
		if err != nil {
			return err
		}
		defer hub.close()
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		path, state := "livez", "alive"
		if ready {
			path, state = "readyz", "ready"
		}
		if err := hub.probe(ctx, path); err != nil {
			return &exitError{exitFailure, fmt.Errorf("not %s: %w", state, err)}
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), state)
		return err
	}
	return cmd
}

// probe asks a hub how it is; the error is what a person wants to know.
func (a *api) probe(ctx context.Context, path string) error {
	answer, err := a.request(ctx, http.MethodGet, path, nil, nil, nil)
	var refused *problem
	var away *unreachableError
	switch {
	case errors.As(err, &refused):
		var why struct{ Reasons []string }
		_ = json.Unmarshal(refused.raw, &why) // somebody else may have answered
		return errors.New(cmp.Or(strings.Join(why.Reasons, "; "), refused.Detail, refused.Title))
	case errors.As(err, &away):
		return fmt.Errorf("no answer from %s: %w", away.address, away.err)
	case err != nil:
		return err
	}
	return answer.Body.Close()
}
