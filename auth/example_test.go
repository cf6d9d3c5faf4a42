package auth_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/navehub/nave/auth"
)

func Example() {
	secret, _, err := auth.NewKey("HS256")
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "nave")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "nave.key")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		panic(err)
	}

	verifier, err := auth.NewVerifier(auth.VerifierConfig{Sources: []auth.Source{{File: file}}})
	if err != nil {
		panic(err)
	}
	defer verifier.Close()
	token, err := auth.Sign(secret, map[string]any{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		panic(err)
	}
	claims, err := verifier.Verify(context.Background(), token)
	fmt.Println(claims.Subject, err)

	_, err = verifier.Verify(context.Background(), token+"A")
	fmt.Println(err)
	// Output:
	// alice <nil>
	// the token's signature is wrong: another key has signed it, or it was changed
}
