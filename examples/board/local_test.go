package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A board that only this machine can reach answers to this machine's names.
func TestLocalName(t *testing.T) {
	url := begin(t)
	for host, want := range map[string]int{
		"evil.example:8090": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
		"10.0.0.1": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
		"localhost:8090": http.StatusOK, "Localhost": http.StatusOK, "127.0.0.1:8090": http.StatusOK, "[::1]:8090": http.StatusOK, "[::1]": http.StatusOK,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		byLocalName(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("of %q: status %d, want %d", host, w.Code, want)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	answer, err := visitor(t, url).http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %s", answer.Status)
	}
}

// Trouble is for who tries things out, not for whoever can reach the board.
func TestTroubleIsLocal(t *testing.T) {
	for address, want := range map[string]bool{
		"localhost:8090": true, "127.0.0.1:0": true, "[::1]:8090": true, ":8090": false, "0.0.0.0:8090": false, "10.0.0.1:8090": false,
	} {
		if got := (options{listen: address, trouble: true}).mayTrouble(); got != want {
			t.Errorf("at %s: %v, want %v", address, got, want)
		}
	}
	if (options{listen: "localhost:8090"}).mayTrouble() {
		t.Error("there is trouble where it was switched off")
	}
}
