package nave

import "fmt"

// Durability is what a publisher's yes is worth. Higher is stronger.
type Durability uint8

const (
	// Transient events are live only: no offset, no replay, first to be shed.
	Transient Durability = iota + 1
	// Memory events can be replayed until the process ends or retention passes.
	Memory
	// Durable events are on stable storage before the publisher hears yes.
	Durable
)

var durabilityNames = [...]string{Transient: "transient", Memory: "memory", Durable: "durable"}

// String is the name used in configuration, documents and metrics.
func (d Durability) String() string {
	if int(d) < len(durabilityNames) && durabilityNames[d] != "" {
		return durabilityNames[d]
	}
	return fmt.Sprintf("durability(%d)", uint8(d))
}

// MarshalText writes the name.
func (d Durability) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the name.
func (d *Durability) UnmarshalText(text []byte) error {
	for i, name := range durabilityNames {
		if name != "" && name == string(text) {
			*d = Durability(i)
			return nil
		}
	}
	return Errorf(CodeInvalid, "durability %q is unknown: use durable, memory or transient", text)
}
