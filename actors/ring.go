package actors

// keptCapacity is what a ring may keep when it is empty; there are many.
const keptCapacity = 16

// A ring is a queue that grows by doubling, so that its length is a power of two.
// The zero ring is ready for use.
type ring[T any] struct {
	buf     []T
	head, n uint32
}

func (r *ring[T]) push(v T) {
	if int(r.n) == len(r.buf) {
		r.grow()
	}
	r.buf[(r.head+r.n)&r.mask()] = v
	r.n++
}

func (r *ring[T]) grow() {
	buf := make([]T, max(1, 2*len(r.buf)))
	k := copy(buf, r.buf[r.head:])
	copy(buf[k:], r.buf[:r.head])
	r.buf, r.head = buf, 0
}

func (r *ring[T]) mask() uint32 { return uint32(len(r.buf) - 1) }

// peek shows the oldest. The ring must not be empty.
func (r *ring[T]) peek() T { return r.buf[r.head] }

// pop takes the oldest. The ring must not be empty.
func (r *ring[T]) pop() T {
	var zero T
	v := r.buf[r.head]
	r.buf[r.head] = zero
	r.head = (r.head + 1) & r.mask()
	r.n--
	return v
}

// shrink gives back the memory of a burst. The ring must be empty.
func (r *ring[T]) shrink() {
	if len(r.buf) > keptCapacity {
		*r = ring[T]{}
	}
}
