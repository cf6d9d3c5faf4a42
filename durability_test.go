package nave_test

import (
	"encoding/json"
	"testing"

	"github.com/navehub/nave"
)

func TestDurabilityText(t *testing.T) {
	for name, want := range map[string]nave.Durability{
		"transient": nave.Transient, "memory": nave.Memory, "durable": nave.Durable,
	} {
		var got nave.Durability
		if err := got.UnmarshalText([]byte(name)); err != nil || got != want {
			t.Errorf("%s is read as %v, %v", name, got, err)
		}
		if text, err := want.MarshalText(); err != nil || string(text) != name || want.String() != name {
			t.Errorf("%s is written as %s, %v", name, text, err)
		}
	}
}

func TestDurabilityOrder(t *testing.T) {
	if nave.Transient >= nave.Memory || nave.Memory >= nave.Durable {
		t.Error("a stronger durability is not higher")
	}
}

func TestUnknownDurability(t *testing.T) {
	for _, text := range []string{"", "Durable", "durable ", "disk", "durability(0)"} {
		d := nave.Memory
		if err := d.UnmarshalText([]byte(text)); nave.CodeOf(err) != nave.CodeInvalid || d != nave.Memory {
			t.Errorf("%q is read as %v, %v, want invalid", text, d, err)
		}
	}
	for d, want := range map[nave.Durability]string{0: "durability(0)", 4: "durability(4)", 255: "durability(255)"} {
		if got := d.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}

func TestDurabilityInJSON(t *testing.T) {
	got, err := json.Marshal(map[string]nave.Durability{"cards": nave.Durable})
	if want := `{"cards":"durable"}`; err != nil || string(got) != want {
		t.Errorf("written as %s, %v, want %s", got, err, want)
	}
}
