package breaker_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/navehub/nave/actors/breaker"
)

func Example() {
	mail := breaker.New(breaker.Config{Name: "mail"}) // and into the hub.Config
	send := func() error { return errors.New("no answer") }

	if err := mail.Allow(); err != nil {
		fmt.Println(err) // which breaker is open, why, and until when
		return
	}
	begun := time.Now()
	err := send()
	mail.Done(err, time.Since(begun))
	fmt.Println(err, "but it is", mail.State())
	// Output: no answer but it is closed
}
