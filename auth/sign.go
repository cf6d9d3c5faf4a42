package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// newRSABits makes an RSA key as strong as the other kinds.
const newRSABits = 3072

// NewKey makes a key: the text of its file, and for an algorithm with two halves
// the public one in PEM. A secret is one line without an end, so that programs
// that take the whole file for the secret have the same one.
func NewKey(name string) (file, public []byte, err error) {
	var private crypto.Signer
	switch a := algorithm(name); a {
	case jose.HS256, jose.HS384, jose.HS512:
		secret := make([]byte, secretBytes[a])
		_, _ = rand.Read(secret) // never fails
		return []byte(base64.RawURLEncoding.EncodeToString(secret)), nil, nil
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		private, err = rsa.GenerateKey(rand.Reader, newRSABits)
	default:
		_, err = parseAlgorithms([]string{name})
	}
	if err != nil {
		return nil, nil, err
	}
	return encode(private)
}

func encode(private crypto.Signer) (file, public []byte, err error) {
	half, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	other, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: half}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: other}), nil
}

// Sign makes a token by the first key of a file that can sign, given the text of
// the file. A JWK says with which algorithm; RSA signs with RS256, and a secret
// with the one that [NewKey] makes such a secret for.
func Sign(keyFile []byte, claims map[string]any) (string, error) {
	keys, err := parseKeyFile(keyFile)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(keys, func(k key) bool { return k.signer != nil })
	if i < 0 {
		return "", errors.New("it has only the public half of a key: whoever signs needs the private one")
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if keys[i].id != "" {
		options.WithHeader("kid", keys[i].id)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: keys[i].signing(), Key: keys[i].signer}, options)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// signing is the algorithm that the key signs with. Secrets are text, and a
// character of base64 is worth 6 bits.
func (k key) signing() algorithm {
	best := k.algorithms[0]
	secret, _ := k.signer.([]byte)
	for _, a := range k.algorithms {
		if len(secret)*6 >= secretBytes[a]*8 && secret != nil {
			best = a
		}
	}
	return best
}
