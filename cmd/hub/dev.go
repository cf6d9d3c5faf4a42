package main

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/navehub/nave/config"
)

// devData is where the data is that nobody has said a place for: not where hub serve
// would find it.
const devData = "./.nave"

// dataFlag is the source of data that the command itself names.
const dataFlag = "--data"

func devCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dev",
		GroupID: groupRun,
		Short:   "Start a hub on this machine, to try things out",
		Long: `Start a hub that only this machine can reach, with its data in ./.nave unless it
is told another place. Every program on this machine may do everything there,
unless the hub is given a key.`,
		Example: `hub dev
hub dev --listen 127.0.0.1:9090 --data /tmp/nave
NAVE_LOG_ENGINE=memory hub dev      # nothing is kept`,
		Args: noArgs,
	}
	load := configFlags(cmd)
	cmd.Flags().Lookup("data").DefValue = devData
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, sources, err := load()
		if err != nil {
			return err
		}
		if sources["data"] == "" {
			cfg.Data = devData
		}
		if err := forThisMachine(&cfg, sources); err != nil {
			return err
		}
		return serve(cmd.Context(), cfg, cmd.ErrOrStderr(), devMessage)
	}
	return cmd
}

// forThisMachine opens the hub to everybody, once it is certain who that is, and that
// what they get is not a service's by mistake.
func forThisMachine(cfg *config.Config, sources config.Sources) error {
	if !isLoopback(cfg.Listen) {
		return usagef("hub dev is for this machine alone, and %s (%s) is not: use 127.0.0.1:8080, or hub serve", cfg.Listen, sources["listen"])
	}
	if cfg.Auth.HasKeys() || !cfg.Auth.Anonymous.Nothing() {
		return nil
	}
	if from := sources["data"]; from != "" && from != dataFlag {
		return usagef("hub dev would open what is in %s (%s) to every program on this machine: if you mean that, say --data %[1]s; else give it a key, or use hub serve", cfg.Data, from)
	}
	cfg.Auth.Anonymous = config.Everything()
	cfg.CORS.Hosts = []string{"localhost", "127.0.0.1", "::1"} // a page that has its name point here is no program of ours
	return nil
}

// startMessage says where the hub is, and what to do with it.
func startMessage(w io.Writer, cfg config.Config, address string) {
	message(w, cfg, address, strings.Join(warnings(cfg, address), "\n"))
}

// devMessage also says who can get in, if that is everybody.
func devMessage(w io.Writer, cfg config.Config, address string) {
	if !slices.Equal(cfg.Auth.Anonymous.Admin, config.Everything().Admin) {
		startMessage(w, cfg, address)
		return
	}
	message(w, cfg, address, "OPEN TO EVERYTHING ON THIS MACHINE: every program here may publish, read and administer.")
}

func message(w io.Writer, cfg config.Config, address, warning string) {
	p := paletteFor(w)
	url := urlOf(cfg, address)
	fmt.Fprintf(w, "\n%s\n\n", p.paint(bold, "The hub is up."))
	fmt.Fprintf(w, "  address    %s\n  dashboard  %s\n  data       %s\n", p.paint(cyan, url), p.paint(cyan, url+"/dashboard"), dataName(cfg))
	if warning != "" {
		fmt.Fprintf(w, "\n%s\n", p.paint(yellow, warning))
	}
	fmt.Fprintf(w, "\nTry, in other terminals:\n\n%s\n\n%s\n\n",
		indent(tries(cfg, url)), p.paint(dim, "Ctrl-C ends it in good order."))
}

// tries are commands to paste.
func tries(cfg config.Config, url string) string {
	self, at := invokedAs(), " --url "+url
	token, header := "", ""
	if cfg.Auth.HasKeys() {
		key := strings.TrimSuffix(cmp.Or(cfg.Auth.Key, "KEY"), ".pub") // whose other half signs
		token = "export NAVE_TOKEN=$(" + self + " token --key " + key + " --subject alice --subscribe 'cards/**' --publish 'cards/**')\n"
		header = ` -H "Authorization: Bearer $NAVE_TOKEN"`
	}
	if url == "http://localhost:8080" || url == "http://127.0.0.1:8080" {
		at = "" // that is where they look anyway
	}
	return token + self + " tail 'cards/**'" + at + "\n" +
		self + ` publish cards/board-1 --type card.moved --key card-42 --data '{"to":"done"}'` + at + "\n" +
		"curl -N" + header + " '" + url + "/v1/events?topic=cards/**'"
}

// urlOf is the hub's address for clients. Over TLS it needs the name that a
// certificate is for, if that is known.
func urlOf(cfg config.Config, address string) string {
	if !cfg.TLS.Enabled() {
		return "http://" + reachable(address)
	}
	host := reachable(address)
	if _, port, err := net.SplitHostPort(address); err == nil && len(cfg.TLS.ACME.Domains) > 0 {
		host = net.JoinHostPort(cfg.TLS.ACME.Domains[0], port)
	}
	return "https://" + strings.TrimSuffix(host, ":443")
}

// reachable is an address that a client on this machine can use.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || host == "localhost"
}
