package auth

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // refuses a name that comes twice, and one in another case
)

const (
	maxKeyFileBytes = 1 << 20
	maxSetKeys      = 100
)

// readKeyFile reads the keys of a file. Its errors begin with the name of it, and
// have nothing of what is in it.
func readKeyFile(name string) ([]key, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFileBytes+1))
	if err != nil {
		return nil, err
	}
	keys, err := parseKeyFile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return keys, nil
}

// parseKeyFile reads a secret, PEM, a JWK or a set of them. What begins like one
// of the others is never a secret.
func parseKeyFile(text []byte) ([]key, error) {
	trimmed := bytes.TrimSpace(text)
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("it is empty: a secret, a key in PEM, or JWKs are needed")
	case len(text) > maxKeyFileBytes:
		return nil, fmt.Errorf("it is no key: it has more than %d bytes", maxKeyFileBytes)
	case bytes.Contains(text, []byte("-----BEGIN")):
		return parsePEM(text)
	case trimmed[0] == '{':
		return parseJWKs(trimmed)
	}
	k, err := parseSecret(text)
	return []key{k}, err
}

// parseSecret takes the text itself, as jwt.sign(claims, text) would elsewhere.
// It is one line, since editors and shells do not agree on others.
func parseSecret(text []byte) (key, error) {
	secret := bytes.TrimRight(text, "\r\n")
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.Valid(secret) || bytes.ContainsFunc(secret, unprintable) {
		return key{}, errors.New("it is neither PEM nor JSON, nor a secret, which is one line of text")
	}
	return newKey("", secret)
}

func parsePEM(text []byte) ([]key, error) {
	var keys []key
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type == "EC PARAMETERS" {
			continue // openssl writes them before the key, which has them too
		}
		material, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		k, err := newKey("", material)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 || bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, errors.New("its PEM cannot be read: BEGIN and END stand on lines of their own")
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (any, error) {
	var material any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, errors.New("its key is encrypted: write it without a password")
	case block.Type == "PUBLIC KEY":
		material, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "PRIVATE KEY":
		material, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		material, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		material, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		material, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			material = certificate.PublicKey
		}
	default:
		return nil, fmt.Errorf("%s is no key that tokens are signed with", quote(block.Type))
	}
	if err != nil {
		return nil, fmt.Errorf("its %s cannot be read", block.Type)
	}
	return material, nil
}

// parseJWKs reads a JWK or a set, of somebody who is to be told what is wrong.
func parseJWKs(text []byte) ([]key, error) {
	var form struct {
		Type string            `json:"kty"`
		Keys []json.RawMessage `json:"keys"`
	}
	err := json.Unmarshal(text, &form)
	switch {
	case err == nil && form.Type != "":
		k, err := parseJWK(text)
		return []key{k}, err
	case err != nil || form.Keys == nil:
		return nil, errors.New(`it is no JWK, which has "kty", and no set, which has "keys"`)
	case len(form.Keys) > maxSetKeys:
		return nil, fmt.Errorf("it has %d keys: at most %d are accepted", len(form.Keys), maxSetKeys)
	}
	var keys []key
	for i, raw := range form.Keys {
		k, err := parseJWK(raw)
		switch {
		case errors.Is(err, errOtherUse):
		case err != nil:
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		default:
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("none of its keys is for verifying signatures")
	}
	return keys, nil
}

// errOtherUse is for a key that has its place in a set, and is not for us.
var errOtherUse = errors.New("it is not for verifying signatures")

func parseJWK(text []byte) (key, error) {
	var about struct {
		Type string   `json:"kty"`
		ID   string   `json:"kid"`
		Use  string   `json:"use"`
		Ops  []string `json:"key_ops"`
		Alg  string   `json:"alg"`
		D    string   `json:"d"`
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return key{}, errors.New("it is no JWK")
	}
	verifies := about.Ops == nil || slices.Contains(about.Ops, "verify") ||
		about.D != "" && slices.Contains(about.Ops, "sign") // its other half does
	switch {
	case about.Use != "" && about.Use != "sig":
		return key{}, fmt.Errorf("%w: its use is %s", errOtherUse, quote(about.Use))
	case !verifies:
		return key{}, fmt.Errorf("%w: its key_ops lack verify", errOtherUse)
	case about.Alg != "" && !slices.Contains(algorithms, algorithm(about.Alg)):
		return key{}, fmt.Errorf("%w: its alg is %s", errOtherUse, quote(about.Alg))
	}
	material, err := parseMaterial(text)
	switch {
	case errors.Is(err, jose.ErrUnsupportedKeyType):
		return key{}, fmt.Errorf("%w: its kty is %s, or its curve, is none of ours", errOtherUse, quote(about.Type))
	case err != nil:
		return key{}, fmt.Errorf("its %s key cannot be read", quote(about.Type))
	}
	k, err := newKey(about.ID, material)
	if err != nil || about.Alg == "" {
		return k, err
	}
	named := []algorithm{algorithm(about.Alg)}
	if err := k.longEnough(named); err != nil {
		return key{}, err
	}
	return k.only(named)
}

// parseMaterial leaves out certificates: they are not looked at, and there are
// some that would keep the key from being read.
func parseMaterial(text []byte) (any, error) {
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for name := range members {
		if strings.HasPrefix(name, "x5") {
			delete(members, name)
		}
	}
	plain, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(plain); err != nil {
		return nil, err
	}
	return parsed.Key, nil
}
