package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
)

// An issuer answers with a set of keys, as if over the network.
type issuer struct {
	mu     sync.Mutex
	asked  int
	keys   string // with commas between
	header string // Cache-Control
	away   bool
	takes  time.Duration
	last   time.Time
	gaps   []time.Duration // between questions
}

var errAway = errors.New("connection refused")

func (i *issuer) RoundTrip(req *http.Request) (*http.Response, error) {
	var now issuer
	i.change(func() {
		i.asked++
		i.gaps, i.last = append(i.gaps, time.Since(i.last)), time.Now()
		now.takes = i.takes
	})
	if now.takes > 0 {
		select {
		case <-time.After(now.takes):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	i.change(func() { now.away, now.keys, now.header = i.away, i.keys, i.header })
	if now.away {
		return nil, errAway
	}
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Cache-Control": {now.header}},
		Body:       io.NopCloser(strings.NewReader(set(now.keys))),
	}, nil
}

// times is how often it was asked.
func (i *issuer) times() (n int) {
	i.change(func() { n = i.asked })
	return n
}

// change changes how the issuer answers.
func (i *issuer) change(f func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f()
}

// remotely runs a test against an issuer, which has key "1" unless it has others.
func remotely(t *testing.T, c VerifierConfig, i *issuer, test func(t *testing.T, v *Verifier)) {
	if i.keys == "" {
		i.keys = key1(t)
	}
	synctest.Test(t, func(t *testing.T) {
		c.Client = &http.Client{Transport: i}
		if c.Sources == nil {
			c.Sources = []Source{{}}
		}
		c.Sources[0].URL = "https://user:pass@issuer.example/keys"
		if c.Logger == nil {
			c.Logger = slog.New(slog.DiscardHandler)
		}
		v, err := NewVerifier(c)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		test(t, v)
	})
}

// by1 and by2 are tokens for two hours, by keys "1" and "2" of the issuer.
func by1(t *testing.T) string {
	return sign(t, jwk(t, madeKey(t, "ES256").file, "1"), claims{"exp": time.Now().Add(2 * time.Hour).Unix()})
}

func by2(t *testing.T) string {
	return sign(t, jwk(t, madeKey(t, "EdDSA").file, "2"), claims{"exp": time.Now().Add(2 * time.Hour).Unix()})
}

func key1(t *testing.T) string { return jwk(t, madeKey(t, "ES256").public, "1") }
func key2(t *testing.T) string { return jwk(t, madeKey(t, "EdDSA").public, "2") }

// unavailable wants to hear that the key cannot be had, and how long that took.
func unavailable(t *testing.T, v *Verifier, token string) (after, took time.Duration) {
	t.Helper()
	start := time.Now()
	_, err := v.Verify(t.Context(), token)
	var refused *nave.Error
	if !errors.As(err, &refused) || refused.Code != nave.CodeUnavailable || refused.RetryAfter < time.Second {
		t.Errorf("error %v", err)
		return 0, 0
	}
	return refused.RetryAfter, time.Since(start)
}

func TestKeysAreFetched(t *testing.T) {
	i := &issuer{takes: 3 * time.Second}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		accept(t, v, by1(t)) // waits for them
		refuseWith(t, v, by2(t), `its key is unknown: there is none with the id "2" (kid)`)
		refuseWith(t, v, sign(t, madeKey(t, "ES384").file, with(nil)), "its key is unknown: there is none for ES384")
		refuseWith(t, v, sign(t, madeKey(t, "HS256").file, with(nil)), `algorithm "HS256" is not accepted`)
		s := v.Sources()[0]
		if s.URL != "https://user:xxxxx@issuer.example/keys" || s.Keys != 1 || time.Since(s.FetchedAt) > time.Second || s.Err != nil {
			t.Errorf("state %+v", s)
		}
		if s.NextTry.Before(time.Now().Add(13*time.Minute)) || i.times() != 1 {
			t.Errorf("state %+v, asked %d times", s, i.times())
		}
	})
}

// A token by a key that has just been published is waited for by everybody who
// has one, together; and no flood of tokens makes a flood of questions.
func TestNewKeyIsFetched(t *testing.T) {
	i := &issuer{}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		accept(t, v, by1(t))
		second := by2(t)
		i.change(func() { i.keys += "," + key2(t); i.takes = time.Second })
		time.Sleep(askedAgain - time.Nanosecond)
		refuseWith(t, v, second, "its key is unknown") // too soon
		time.Sleep(time.Nanosecond)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { accept(t, v, second) })
		}
		all.Wait()
		for range 20 {
			refuseWith(t, v, sign(t, jwk(t, madeKey(t, "ES256").file, "3"), with(nil)), "its key is unknown")
		}
		if i.times() != 2 {
			t.Errorf("asked %d times", i.times())
		}
	})
}

func TestNobodyWaitsForLong(t *testing.T) {
	i := &issuer{takes: time.Hour}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		token := by1(t)
		if _, took := unavailable(t, v, token); took != patience {
			t.Errorf("waited for %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := v.Verify(ctx, token); nave.CodeOf(err) != nave.CodeUnavailable || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.Sleep(fetchTimeout)
		synctest.Wait()
		if err := v.Sources()[0].Err; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if _, took := unavailable(t, v, token); took != 0 { // while the next look hangs too
			t.Errorf("waited for %v", took)
		}
	})
}

// An issuer that is away costs no token any time, its last keys stay in use, and
// it is asked less and less often.
func TestIssuerIsAway(t *testing.T) {
	var log bytes.Buffer
	i := &issuer{}
	remotely(t, VerifierConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))}, i, func(t *testing.T, v *Verifier) {
		first, second := by1(t), by2(t)
		accept(t, v, first)
		i.change(func() { i.away, i.takes = true, time.Second })
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		i.change(func() { i.gaps = nil })
		v.remembered.Purge()
		start := time.Now()
		for range 100 {
			accept(t, v, first)
			if after, _ := unavailable(t, v, second); after > mostRetry {
				t.Errorf("try again in %v", after)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		i.change(func() {
			if n := len(i.gaps); n < 9 || n > 21 {
				t.Errorf("asked %d times in 10 minutes", n)
			}
			for _, gap := range i.gaps {
				if gap < mostRetry/2 || gap > mostRetry+time.Second {
					t.Errorf("%v between two looks", gap)
				}
			}
		})
		if s := v.Sources()[0]; s.Keys != 1 || !errors.Is(s.Err, errAway) {
			t.Errorf("state %+v", s)
		}
		i.change(func() { i.away = false; i.keys = key2(t) })
		time.Sleep(mostRetry + time.Second)
		synctest.Wait()
		accept(t, v, second)
		refuseWith(t, v, first, "its key is unknown")
	})
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || strings.Count(text, "level=INFO") != 1 || strings.Contains(text, "pass@") {
		t.Errorf("log:\n%s", text)
	}
}

// Who was never there is asked soon after the start.
func TestIssuerIsAwayFromTheStart(t *testing.T) {
	i := &issuer{away: true}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		token := by1(t)
		if after, _ := unavailable(t, v, token); after > 2*time.Second {
			t.Errorf("try again in %v", after)
		}
		i.change(func() { i.away = false })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		accept(t, v, token)
	})
}

// A key that is no longer in the set ends its tokens, also those that are
// remembered; a set that has not changed leaves them.
func TestKeyIsWithdrawn(t *testing.T) {
	i := &issuer{keys: key1(t) + "," + key2(t)}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		first, second := by1(t), by2(t)
		remembered := accept(t, v, first)
		time.Sleep(defaultAge)
		synctest.Wait()
		if i.times() != 2 || accept(t, v, first) != remembered {
			t.Errorf("asked %d times, or what is remembered is lost", i.times())
		}
		i.change(func() { i.keys = key2(t) })
		time.Sleep(defaultAge)
		synctest.Wait()
		refuseWith(t, v, first, "its key is unknown")
		accept(t, v, second)
		i.change(func() { i.keys = "" })
		time.Sleep(defaultAge)
		synctest.Wait()
		refuseWith(t, v, second, "its key is unknown")
	})
}

func TestAge(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": defaultAge, "public": defaultAge, "max-age": defaultAge, "max-age=x": defaultAge, "max-age=-1": defaultAge,
		"max-age=99999999999999999999": defaultAge, "s-maxage=7200": defaultAge,
		"max-age=0": leastAge, "max-age=59": leastAge, "no-store": leastAge, "no-cache, max-age=7200": leastAge,
		"public, Max-Age=7200, must-revalidate": 2 * time.Hour, `max-age="7200"`: 2 * time.Hour,
		"max-age=2147483647": mostAge,
	} {
		if got := age(header); got != want {
			t.Errorf("age(%q) = %v, want %v", header, got, want)
		}
	}
	i := &issuer{header: "max-age=3600"}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		synctest.Wait()
		time.Sleep(54*time.Minute - time.Nanosecond)
		if i.times() != 1 {
			t.Errorf("asked %d times", i.times())
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if i.times() != 2 {
			t.Errorf("asked %d times", i.times())
		}
	})
}

// What everybody can fetch is no secret; what is not for us, or damaged, does not
// keep back the others.
func TestKeysThatAreLeftOut(t *testing.T) {
	secret := madeKey(t, "HS256").file
	ed := madeKey(t, "EdDSA")
	keys := strings.Join([]string{
		secretJWK("secret", secret), jwk(t, ed.file, "private"), jwk(t, ed.public, "enc", `"use":"enc"`),
		jwk(t, ed.public, "alg", `"alg":"ES256"`), `{"kty":"EC"}`, `{"kty":7}`, `7`, `null`, key1(t),
	}, ",")
	i := &issuer{keys: keys}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		accept(t, v, by1(t))
		if n := v.Sources()[0].Keys; n != 1 {
			t.Errorf("%d keys are in use", n)
		}
		refuseWith(t, v, sign(t, secretJWK("secret", secret), with(nil)), `algorithm "HS256" is not accepted`)
		for _, id := range []string{"private", "enc", "alg"} {
			refuseWith(t, v, sign(t, jwk(t, ed.file, id), with(nil)), "its key is unknown")
		}
	})
}

func TestClose(t *testing.T) {
	i := &issuer{takes: time.Hour}
	remotely(t, VerifierConfig{}, i, func(t *testing.T, v *Verifier) {
		token := by1(t)
		waiting := make(chan error, 1)
		go func() { // ends with Close
			_, err := v.Verify(t.Context(), token)
			waiting <- err
		}()
		synctest.Wait()
		start := time.Now()
		v.Close()
		v.Close()
		if err := <-waiting; nave.CodeOf(err) != nave.CodeUnavailable || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, took := unavailable(t, v, token); took != 0 {
			t.Errorf("waited for %v", took)
		}
	})
	remotely(t, VerifierConfig{}, &issuer{}, func(t *testing.T, v *Verifier) {
		accept(t, v, by1(t))
		time.Sleep(askedAgain)
		v.Close()
		accept(t, v, by1(t))
		if _, took := unavailable(t, v, by2(t)); took != 0 {
			t.Errorf("waited for %v", took)
		}
	})
}
