// Follow follows topics from Go, remembers in a file where it stood, and moves a card that
// it sees approved.
//
//	go run ./examples/follow
//	hub publish cards/board-1 --type card.approved --key card-42
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hub, err := spoke.New(spoke.Config{URL: "http://localhost:8080"})
	if err != nil {
		log.Fatal(err)
	}
	defer hub.Close()
	if err := follow(ctx, hub, "follow.cursor"); err != nil {
		log.Fatal(err)
	}
}

func follow(ctx context.Context, hub *spoke.Client, file string) error {
	saved, _ := os.ReadFile(file) // the first time there is none
	cards := hub.Subscribe(spoke.SubscribeConfig{Filters: nave.Filters{"cards/**"}, Cursor: string(saved)})
	for batch, err := range cards.Batches(ctx) {
		var reset *nave.ResetError
		switch {
		case errors.As(err, &reset):
			fmt.Println("events are missing, fetch anew:", reset.Reason)
		case err != nil:
			return err
		}
		for _, e := range batch.Events { // a batch is whole
			fmt.Println(e.Topic, e.Type, e.Key, string(e.Data))
			if e.Type != "card.approved" {
				continue
			}
			if err := move(ctx, hub, e, "done"); err != nil {
				fmt.Println("not moved:", err)
			}
		}
		if batch.Cursor == "" {
			continue
		}
		if err := os.WriteFile(file, []byte(batch.Cursor), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// move puts a card into a column, if nothing has changed it since that event.
func move(ctx context.Context, hub *spoke.Client, card spoke.Event, column string) error {
	data, err := json.Marshal(map[string]string{"column": column})
	if err != nil {
		return err
	}
	version := card.Version()
	_, err = hub.Publish(ctx, nave.Event{
		Topic: card.Topic, Type: "card.moved", Key: card.Key, Data: data, IfVersion: &version,
	})
	var conflict *nave.ConflictError
	if errors.As(err, &conflict) {
		now := conflict.Conflicts[0]
		return fmt.Errorf("somebody was faster: %s is now %s", card.Key, now.Event.Data)
	}
	return err
}
