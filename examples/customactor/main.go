// Command customactor is a hub with actors of the application's own: see bridge.go,
// and mail.go for one that calls a service, which $MAIL_SERVICE names.
//
//	go run ./examples/customactor
//	hub tail 'session/**'
//	hub publish conversations/7 --type message.sent --data '{"to":"alice","text":"Hi"}'
package main

import (
	"log/slog"
	"os"

	"go.uber.org/fx"

	"github.com/navehub/nave/config"
	"github.com/navehub/nave/wiring"
)

func main() {
	cfg := config.Default() // which listens for this machine only
	cfg.Auth.Anonymous = config.Everything()
	fx.New(application(cfg, os.Getenv("MAIL_SERVICE"))).Run()
}

func application(cfg config.Config, mailService string) fx.Option {
	return fx.Options(
		wiring.Program(cfg, "example", slog.NewTextHandler(os.Stderr, nil)),
		wiring.Extension(conversationBridge),
		mail(mailService),
	)
}
