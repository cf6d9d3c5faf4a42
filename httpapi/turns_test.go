package httpapi

import (
	"strings"
	"testing"
	"testing/synctest"
)

// Those who decode large bodies leave processors to the others.
func TestLargeBodiesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Config{Hub: fake{}, Logger: quiet}).(*handler)
		for range cap(h.turns) {
			h.turns <- struct{}{}
		}
		event := func(size int) []byte {
			return []byte(`{"topic":"a","type":"x","data":"` + strings.Repeat("x", size) + `"}`)
		}
		if _, err := h.decode(event(100)); err != nil {
			t.Errorf("a small body: %v", err)
		}
		decoded := make(chan error, 1)
		go func() { // ends when it has its turn
			_, err := h.decode(event(smallBody))
			decoded <- err
		}()
		synctest.Wait()
		if len(decoded) != 0 {
			t.Error("a large body was decoded out of turn")
		}
		<-h.turns
		if err := <-decoded; err != nil {
			t.Errorf("a large body: %v", err)
		}
		if taken := len(h.turns); taken != cap(h.turns)-1 {
			t.Errorf("%d turns are taken afterwards", taken)
		}
	})
}
