package auth

import (
	"bytes"
	"encoding/base64"
	stdjson "encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // refuses a name that comes twice, and one in another case

	"github.com/navehub/nave"
)

// maxTokenBytes is what a header field may be at most, elsewhere, and much more
// than a token should be.
const maxTokenBytes = 16 << 10

// A token is one that has been read. Nothing of it is to be believed yet.
type token struct {
	text      string
	algorithm algorithm
	keyID     string
	claims    map[string]any
}

func refuse(format string, args ...any) error {
	return nave.Errorf(nave.CodeUnauthorised, format, args...)
}

// parseToken reads a token in its one form: three parts, each in canonical
// base64url. There must not be a second text with the same signature, or one
// could be revoked and the other go on.
func parseToken(text string) (*token, error) {
	parts := strings.Split(text, ".")
	switch {
	case text == "":
		return nil, refuse("the token is empty")
	case len(parts) == 5:
		return nil, refuse("the token is encrypted: only signed tokens are accepted")
	case len(parts) != 3:
		return nil, refuse("this is no token: a JWT has 3 parts, and it has %d", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") { // which the decoder leaves out
			return nil, refuse("this is no token: the %s of a JWT is in base64url", [...]string{"header", "middle", "signature"}[i])
		}
	}
	t := &token{text: text}
	if err := t.readHeader(decoded[0]); err != nil {
		return nil, err
	}
	if t.claims = parseClaims(decoded[1]); t.claims == nil {
		return nil, refuse("the token's claims cannot be read: they are one JSON object, in which no name comes twice")
	}
	return t, nil
}

// readHeader takes what we go by. Keys, and where to find some, are none of it:
// a token does not say by what it is to be judged.
func (t *token) readHeader(text []byte) error {
	var header struct {
		Algorithm  *string         `json:"alg"`
		KeyID      string          `json:"kid"`
		Content    string          `json:"cty"`
		Encryption json.RawMessage `json:"enc"`
		Critical   json.RawMessage `json:"crit"`
		Base64     json.RawMessage `json:"b64"`
	}
	if err := json.Unmarshal(text, &header); err != nil || header.Algorithm == nil || !utf8.Valid(text) {
		return refuse("the token's header cannot be read: it is a JSON object with the algorithm (alg)")
	}
	switch {
	case header.Encryption != nil:
		return refuse("the token is encrypted: only signed tokens are accepted")
	case header.Critical != nil || header.Base64 != nil:
		return refuse("the token demands extensions (crit, b64): none is supported")
	case strings.HasSuffix(strings.ToUpper(header.Content), "JWT"):
		return refuse("the token has another one in it (cty): only plain ones are accepted")
	}
	t.algorithm, t.keyID = algorithm(*header.Algorithm), header.KeyID
	return nil
}

// signed checks the signature by one key, which is known to be for the algorithm.
func (t *token) signed(by key) bool {
	parsed, err := jose.ParseSignedCompact(t.text, []algorithm{t.algorithm})
	if err != nil {
		return false
	}
	_, err = parsed.Verify(by.verifier)
	return err == nil
}

// parseClaims answers nil for what is no set of claims.
func parseClaims(text []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.SetNumberType(json.UnmarshalJSONNumber)
	var claims map[string]any
	if !utf8.Valid(text) || decoder.Decode(&claims) != nil || decoder.Decode(new(any)) != io.EOF {
		return nil
	}
	standard(claims)
	return claims
}

// standard makes numbers of the standard library's kind.
func standard(v any) any {
	switch v := v.(type) {
	case json.Number:
		return stdjson.Number(v)
	case map[string]any:
		for name, member := range v {
			v[name] = standard(member)
		}
	case []any:
		for i, member := range v {
			v[i] = standard(member)
		}
	}
	return v
}
