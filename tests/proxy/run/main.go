// Command run runs a [proxy.Proxy] for tests that are not written in Go. It prints
// where it is, takes orders, a line of JSON each, and answers each with what it has
// seen. It ends with its input.
//
//	go run ./tests/proxy/run -to 127.0.0.1:8080
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/navehub/nave/tests/proxy"
)

type order struct {
	Set *proxy.Faults `json:"set"`
	Cut bool          `json:"cut"`
}

func main() {
	to := flag.String("to", "127.0.0.1:8080", "the address of the hub")
	flag.Parse()
	if err := run(*to); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

func run(to string) error {
	p, err := proxy.New(to)
	if err != nil {
		return err
	}
	defer p.Close()
	answers := json.NewEncoder(os.Stdout)
	if err := answers.Encode(p.URL()); err != nil {
		return err
	}
	orders := json.NewDecoder(os.Stdin)
	orders.DisallowUnknownFields()
	for orders.More() {
		var o order
		if err := orders.Decode(&o); err != nil {
			return err
		}
		if o.Set != nil {
			p.Set(*o.Set)
		}
		if o.Cut {
			p.Cut()
		}
		if err := answers.Encode(p.Seen()); err != nil {
			return err
		}
	}
	return nil
}
