package httpapi

import (
	"strings"
	"testing"
)

// published are bodies of publishes, of one event and of a hundred.
func published() map[string]string {
	one := `{"topic":"cards/board-1","type":"card.moved","key":"card-42","id":"0123456789abcdef","source":"board","data":{"x":"` + strings.Repeat("x", 200) + `"}}`
	return map[string]string{"one": one, "array": "[" + strings.Repeat(one+",", 99) + one + "]"}
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range published() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := decodeEvents([]byte(body), 100); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
