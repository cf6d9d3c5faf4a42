package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/navehub/nave"
)

// publishFlags are what the command line says.
type publishFlags struct {
	nave.Event
	data      string
	ifVersion uint64
	ndjson    bool
	json      bool
	timeout   time.Duration
	address   *string
	tokenFile *string
}

func publishCommand() *cobra.Command {
	var f publishFlags
	cmd := &cobra.Command{
		Use:     "publish <topic> --type <type>",
		GroupID: groupTalk,
		Short:   "Publish an event",
		Long: `Publish an event, and say where it went. When there is no answer, publish tries
again under the same id, so that the event is stored once.

With --if-version the event is stored only if the key still has that version, or
for 0 does not exist yet. Otherwise the present version and event are shown.

` + exitCodes,
		Example: `hub publish cards/board-1 --type card.moved --key card-42 --data '{"to":"done"}'
hub publish cards/board-1 --type card.added --key card-43 --if-version 0
date +'{"now":"%T"}' | hub publish clock --type tick --data -
echo '{"topic":"clock","type":"tick"}' | hub publish --ndjson`,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Type, "type", "", "what happened, as in `card.moved`")
	flags.StringVar(&f.Key, "key", "", "the entity that it happened to, as in `card-42`")
	flags.StringVar(&f.data, "data", "", "the data: `JSON`, @file, or - for standard input")
	flags.Uint64Var(&f.ifVersion, "if-version", 0, "publish only if the key still has this `version`")
	flags.StringVar(&f.ID, "id", "", "the `id` under which it is stored once (default: a new one)")
	flags.StringVar(&f.Source, "source", "", "who says so; ids are per `source`")
	flags.BoolVar(&f.ndjson, "ndjson", false, "publish each line of standard input, a whole event in JSON")
	flags.BoolVar(&f.json, "json", false, "print the hub's answer")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to try")
	f.address, f.tokenFile = urlFlag(cmd), tokenFlag(cmd)
	cmd.Args = f.check
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd) }
	return cmd
}

// check takes the topic, and sees whether the flags go together.
func (f *publishFlags) check(cmd *cobra.Command, args []string) error {
	if err := positive("timeout", f.timeout); err != nil {
		return err
	}
	if f.ndjson {
		return nothingButLines(cmd, args)
	}
	switch {
	case len(args) == 0:
		return usagef("name one topic, such as cards/board-1")
	case len(args) > 1:
		return usagef("%q is one argument too many: after the topic there are --type and --data", args[1])
	case f.Type == "":
		return usagef("say what happened with --type, as in --type card.moved")
	}
	f.Topic = nave.Topic(args[0])
	return nil
}

// nothingButLines refuses to be told about an event what its line says.
func nothingButLines(cmd *cobra.Command, args []string) error {
	const refusal = "with --ndjson everything about an event is on its line: leave out "
	if len(args) > 0 {
		return usagef(refusal + "the topic")
	}
	for _, name := range []string{"type", "key", "data", "if-version", "id", "source"} {
		if cmd.Flags().Changed(name) {
			return usagef(refusal+"--%s", name)
		}
	}
	return nil
}

func (f *publishFlags) run(cmd *cobra.Command) error {
	hub, err := connect(*f.address, *f.tokenFile)
	if err != nil {
		return err
	}
	defer hub.Close()
	p := publisher{hub: hub, timeout: f.timeout, notes: cmd.ErrOrStderr(), out: cmd.OutOrStdout(), json: f.json}
	if f.ndjson {
		return p.publishLines(cmd.Context(), cmd.InOrStdin())
	}
	event, err := f.event(cmd)
	if err != nil {
		return err
	}
	return p.publish(cmd.Context(), event)
}

func (f *publishFlags) event(cmd *cobra.Command) (nave.Event, error) {
	event := f.Event
	if cmd.Flags().Changed("data") {
		var err error
		if event.Data, err = readData(f.data, cmd.InOrStdin()); err != nil {
			return event, err
		}
	}
	event.ID = cmp.Or(event.ID, rand.Text())
	if cmd.Flags().Changed("if-version") {
		event.IfVersion = &f.ifVersion
	}
	if err := event.Validate(); err != nil {
		return event, usagef("%w", err)
	}
	return event, nil
}

// readData reads what --data names. It must be something: a key is removed by who
// means it, not by a program in front of the pipe that failed.
func readData(data string, in io.Reader) (json.RawMessage, error) {
	text := []byte(data)
	var err error
	switch name, isFile := strings.CutPrefix(data, "@"); {
	case data == "-":
		text, err = io.ReadAll(in)
	case isFile:
		text, err = os.ReadFile(name)
	}
	switch {
	case err != nil:
		return nil, usagef("--data: %w", err)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, usagef("--data is empty: to remove the key, write null")
	case !json.Valid(text):
		return nil, usagef("--data is not JSON: %s", wrongJSON(text))
	}
	return text, nil
}

// wrongJSON says what is wrong, and what was probably meant.
func wrongJSON(text []byte) string {
	if len(text) < 40 && !strings.ContainsAny(string(text), "{}[]\"'\n") {
		return fmt.Sprintf("a text goes in quotes, as in '%q'", text)
	}
	var into any
	return json.Unmarshal(text, &into).Error()
}
