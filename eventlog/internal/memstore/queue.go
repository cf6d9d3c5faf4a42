package memstore

// A queue is a slice that is pushed to at the back and popped from at the front.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) push(v T)  { q.items = append(q.items, v) }
func (q *queue[T]) front() T  { return q.items[q.head] }
func (q *queue[T]) len() int  { return len(q.items) - q.head }
func (q *queue[T]) live() []T { return q.items[q.head:] }

func (q *queue[T]) pop() {
	var zero T
	q.items[q.head] = zero
	q.head++
	// Moving as many as were popped keeps a pop cheap on average.
	if q.head > q.len() {
		n := copy(q.items, q.live())
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
}
