package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
)

func sseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "sse [on|off]",
		GroupID: groupTalk,
		Short:   "Switch live streams off, or on again",
		Long: `Say which service level the hub holds; or end all streams, and have clients poll
with the cursors that they have, until it is switched on again. Nothing is lost
either way, and publishing goes on. It holds over restarts.

It takes a token that may administer the level. NAVE_SSE=off in the hub's own
environment does the same from its start on, whatever is said here.`,
		Example: `hub sse
hub sse off --reason 'proxy-buffers'
hub sse on`,
		Args: onOrOff,
	}
	reason := cmd.Flags().String("reason", "", "`why`, for the log and for clients")
	address, tokenFile := urlFlag(cmd), tokenFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		hub, err := connect(*address, *tokenFile)
		if err != nil {
			return err
		}
		defer hub.Close()
		method, body := http.MethodGet, []byte(nil)
		switch {
		case len(args) == 0:
		case args[0] == "on":
			method = http.MethodDelete
		default:
			method = http.MethodPut
			body, _ = json.Marshal(map[string]string{"level": string(nave.LevelPolling), "reason": *reason}) // texts always marshal
		}
		state, err := level(cmd.Context(), hub, method, body, cmd.OutOrStdout())
		if err == nil && method == http.MethodDelete && state == "off" {
			err = errors.New("streams are not on again: something else keeps them off")
		}
		return err
	}
	return cmd
}

func onOrOff(_ *cobra.Command, args []string) error {
	if len(args) > 1 || len(args) == 1 && args[0] != "on" && args[0] != "off" {
		return usagef("sse is on or off, not %s", strings.Join(args, " "))
	}
	return nil
}

// level asks for the level, or for another, prints what it is, and says whether streams
// are on or off.
func level(ctx context.Context, hub *spoke.Client, method string, body []byte, out io.Writer) (state string, err error) {
	answer, err := hub.Do(ctx, method, "v1/admin/level", nil, nil, body)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var now struct {
		Level nave.Level
		Pin   *struct {
			Level      nave.Level
			By, Reason string
		}
		Reason string
	}
	if err := json.NewDecoder(answer.Body).Decode(&now); err != nil {
		return "", fmt.Errorf("the answer cannot be read: %w", err)
	}
	state = "on"
	if !now.Level.Has(nave.Streams) {
		state = "off"
	}
	text := fmt.Sprintf("streams are %s: the level is %s", state, now.Level)
	switch {
	case state == "off" && now.Pin != nil && now.Pin.Level.Has(nave.Streams):
		text += ", by the hub's configuration (NAVE_SSE), whatever is pinned"
	case now.Pin != nil && now.Pin.Reason != "":
		text += fmt.Sprintf(", pinned by %s: %s", now.Pin.By, now.Pin.Reason)
	case now.Pin != nil:
		text += ", pinned by " + now.Pin.By
	case now.Reason != "" && now.Level != nave.LevelNormal:
		text += ", by itself: " + now.Reason
	case state == "off":
		text += ", by the hub's configuration (NAVE_SSE)"
	}
	_, err = fmt.Fprintln(out, harmless(text))
	return state, err
}
