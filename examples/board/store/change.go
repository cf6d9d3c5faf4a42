package store

import "encoding/json"

// A Change is a member of a JSON object that may be null, which is not the same as
// not being there.
type Change[T any] struct {
	Given bool
	Value T
}

// UnmarshalJSON is called for a member that is there.
func (c *Change[T]) UnmarshalJSON(text []byte) error {
	c.Given = true
	return json.Unmarshal(text, &c.Value)
}
