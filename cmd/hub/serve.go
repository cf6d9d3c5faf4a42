package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/dig"
	"go.uber.org/fx"

	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/config"
	"github.com/navehub/nave/process"
	"github.com/navehub/nave/wiring"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "serve",
		GroupID: groupRun,
		Short:   "Run the hub as a service",
		Long: `Run the hub until SIGINT or SIGTERM, which end it in good order: publishers hear
of it, subscribers are told when to come back. A second signal ends it at once.

Settings come from defaults, then --config, then variables that start with
NAVE_, then flags. hub config print shows them all.`,
		Example: `hub serve --key nave.key
hub serve --key nave.key --anonymous-read='public/**'
NAVE_CONFIG=nave.yaml NAVE_LISTEN=:8080 hub serve --log-format json`,
		Args: noArgs,
	}
	load := configFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		return serve(cmd.Context(), cfg, cmd.ErrOrStderr(), startMessage)
	}
	return cmd
}

// flagDocs say in a few words what the configuration says at length.
var flagDocs = map[string]string{
	"listen":     "`address` of the HTTP server; :8080 is every address",
	"data":       "`directory` that the events are kept in",
	"log-level":  "`least` to log: debug, info, warn or error",
	"log-format": "`format` of the log: text or json",
	"key":        "`file` with the key that tokens are signed with; see hub key",

	"anonymous-read": "`filters` of what everybody may read; without =, everything",
}

// configFlags adds the flags of the configuration, and returns what loads it.
func configFlags(cmd *cobra.Command) func() (config.Config, config.Sources, error) {
	file := cmd.Flags().String("config", "", "configuration `file` (default $NAVE_CONFIG, if set)")
	settings := config.Flags()
	for _, f := range settings {
		cmd.Flags().String(f.Name, f.Default, cmp.Or(flagDocs[f.Name], f.Doc))
	}
	cmd.Flags().Lookup("anonymous-read").NoOptDefVal = "**"
	return func() (config.Config, config.Sources, error) {
		given := make(map[string]string)
		for _, f := range settings {
			if flag := cmd.Flags().Lookup(f.Name); flag.Changed {
				given[f.Name] = flag.Value.String()
			}
		}
		return loadConfig(*file, given)
	}
}

// A greeter tells a person that the hub is up, and what to do with it.
type greeter func(w io.Writer, cfg config.Config, address string)

// serve runs the hub until ctx ends, or until the hub cannot go on.
func serve(ctx context.Context, cfg config.Config, errs io.Writer, greet greeter) error {
	garbage := process.CollectOften()
	logs := logHandler(cfg, errs)
	var address wiring.Address
	var h *hub.Hub
	app := fx.New(
		wiring.Program(cfg, readBuild().Version, logs),
		fx.Populate(&address, &h),
	)
	switch err := start(ctx, app); {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return nil // whoever ended it did not want to wait for the start
	case err != nil:
		return plainly(err, cfg)
	}
	defer garbage.Mind()() // the hub knows its budget by now
	if isTerminal(errs) {
		greet(errs, cfg, address.String())
	} else {
		at, url := address.String(), urlOf(cfg, address.String())
		if cfg.TLS.Enabled() {
			at = url
		}
		logger := slog.New(logs)
		logger.Info("the hub is up", "address", at, "dashboard", url+"/dashboard", "data", dataName(cfg))
		level := slog.LevelWarn
		if isLoopback(address.String()) {
			level = slog.LevelInfo
		}
		for _, warning := range warnings(cfg, address.String()) {
			logger.Log(ctx, level, warning)
		}
	}
	var failure error
	select {
	case <-ctx.Done():
	case ended := <-app.Wait():
		if ended.ExitCode != 0 {
			failure = cannotGoOn(h.Ready())
		}
	}
	return errors.Join(failure, stop(app))
}

// warnings say what whoever has set this up may not have meant.
func warnings(cfg config.Config, address string) (all []string) {
	if filters := cfg.Auth.Anonymous.Publish; len(filters) > 0 {
		all = append(all, fmt.Sprintf("EVERYBODY WHO CAN REACH %s may publish to %s without a token.", address, strings.Join(filters, ", ")))
	}
	if !isLoopback(address) && !cfg.TLS.Enabled() && len(cfg.Proxies.Trusted) == 0 {
		all = append(all, "Tokens and events can be read on their way: this hub listens for others, without TLS, and knows no proxy that has it (tls, proxies.trusted).")
	}
	for _, issuer := range cfg.Auth.Issuers {
		if len(issuer.Audience) == 0 {
			all = append(all, "Every token of "+issuer.Issuer+" is accepted, whomever it is for: set the issuer's audience.")
		}
	}
	return all
}

// cannotGoOn is for a hub that has ended by itself.
func cannotGoOn(why error) error {
	if why == nil {
		return errors.New("the HTTP server ended: the log says why")
	}
	return fmt.Errorf("the hub cannot go on: %s", oneLine(why))
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// start also undoes what a start that failed has done: fx does not if the start
// took too long.
func start(ctx context.Context, app *fx.App) error {
	ctx, cancel := context.WithTimeout(ctx, app.StartTimeout())
	defer cancel()
	err := app.Err()
	if err == nil {
		err = app.Start(ctx)
	}
	if err != nil {
		_ = stop(app) // why it did not start is what counts
	}
	return err
}

func stop(app *fx.App) error {
	ctx, cancel := context.WithTimeout(context.Background(), app.StopTimeout())
	defer cancel()
	if err := app.Stop(ctx); err != nil {
		return fmt.Errorf("the end was not in good order: %w", err)
	}
	return nil
}

// plainly says in one sentence why the hub does not start. What fx and dig wrap
// around it is for who wires the program, not for who runs it.
func plainly(err error, cfg config.Config) error {
	err = dig.RootCause(err)
	switch {
	case errors.Is(err, wiring.ErrNoKey):
		return noKey()
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another program: stop that one, or choose another address with --listen", cfg.Listen)
	case errors.Is(err, syscall.EAGAIN): // of the lock on the directory
		return fmt.Errorf("data directory %s is in use by another hub: stop that one, or choose another directory with --data", cfg.Data)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w (make room, or choose another directory with --data)", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w (a hub needs to write to its data directory)", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w (a hub needs to write to its data directory, and a port below 1024 needs a privilege)", err)
	}
	return errors.New(oneLine(err))
}

// noKey says how to begin.
func noKey() error {
	self := invokedAs()
	return usagef(`there is no key, so nobody could be told apart, and nobody let in. Make one:

  `+"%[1]s key nave.key\n  %[1]s serve --key nave.key\n  %[1]s token --key nave.key --subject alice --subscribe 'cards/**' --publish 'cards/**'"+`

To let everybody read, and nobody publish:  %[1]s serve --anonymous-read
To try things out on this machine:          %[1]s dev
`, self)
}

func logHandler(cfg config.Config, w io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: cfg.Logging.SlogLevel()}
	if cfg.Logging.Format == "json" {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// dataName is where events are kept, for people.
func dataName(cfg config.Config) string {
	if cfg.Log.Engine == "memory" {
		return "memory"
	}
	return cfg.Data
}
