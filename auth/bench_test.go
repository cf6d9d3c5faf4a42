package auth

import (
	"testing"
)

// BenchmarkVerify is what a request costs: with a token that was verified before,
// and with one that was not.
func BenchmarkVerify(b *testing.B) {
	grants := claims{"iss": "hub", "jti": "0123456789", "nave": claims{"subscribe": []string{"cards/**"}, "publish": []string{"cards/**"}}}
	for _, a := range []string{"HS256", "ES256", "RS256", "EdDSA"} {
		p := madeKey(b, a)
		v := by(b, p.file)
		token := sign(b, p.file, with(grants))
		b.Run(a+"/cached", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				accept(b, v, token)
			}
		})
		b.Run(a+"/uncached", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.judge(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
