//go:build linux

package load

import (
	"math"
	"testing"
	"time"
)

// What a loop that was held up comes late with keeps its due time, or its own
// lateness would not count.
func TestALateLoopKeepsDueTimes(t *testing.T) {
	l := &Loop{next: math.MaxInt64}
	var dues []int64
	p := l.Every(1000, func(due int64) { dues = append(dues, due) })
	l.now = p.start + int64(20*time.Millisecond)
	l.fire()
	if len(dues) != 21 {
		t.Fatalf("%d became due in 20 ms at 1,000 a second, want 21", len(dues))
	}
	for i, due := range dues {
		if want := p.start + int64(i)*int64(time.Millisecond); due != want {
			t.Errorf("number %d was due %v late", i, time.Duration(due-want))
		}
	}
}
