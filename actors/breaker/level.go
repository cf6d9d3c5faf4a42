package breaker

import (
	"cmp"

	"github.com/navehub/nave"
)

// Level is the service level that it asks for now: [Config.Level], unless it is closed.
func (b *Breaker) Level() nave.Level {
	if b.State() == Closed {
		return nave.LevelNormal
	}
	return cmp.Or(b.config.Level, nave.LevelNormal)
}
