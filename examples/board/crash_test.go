package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var kills = flag.Int("kills", 30, "how often the board is killed")

// The whole process is killed by SIGKILL while people work, also while it starts.
// In the end the log has every change of the database once, and nothing else.
func TestKilled(t *testing.T) {
	program := filepath.Join(t.TempDir(), "board")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	b := &process{program: program, data: t.TempDir(), address: freeAddress(t)}
	random := rand.New(rand.NewPCG(1, 2))
	b.start(t)
	for range 5 { // while it makes what it begins with
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		b.kill(t)
		b.start(t)
	}
	b.ready(t)
	second := exec.CommandContext(t.Context(), program, "-listen", b.address, "-data", t.TempDir())
	if text, err := second.CombinedOutput(); err == nil || string(text) != "board: listen tcp "+b.address+": bind: address already in use\n" {
		t.Errorf("a second one at the same address ends with %v and says:\n%s", err, text)
	}
	c := gather(t, b.url())
	for range *kills {
		if random.IntN(4) > 0 {
			b.ready(t)
		}
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond) // some moment of its life
		b.kill(t)
		b.start(t)
	}
	b.ready(t)
	c.dismiss(t)
	p := signedIn(t, b.url(), "ada")
	j, _ := verify(t, p, "the-end")
	c.acknowledged(t, j)
	t.Logf("%d kills, %d events", *kills, j.events())
	p.http.CloseIdleConnections()
	b.kill(t)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A process is a board that can be killed.
type process struct {
	program, data, address string
	running                *exec.Cmd
	said                   chan string // all that it said, when it has ended
	greeted                chan struct{}
}

func (b *process) url() string { return "http://" + b.address }

func (b *process) start(t *testing.T) {
	t.Helper()
	b.running = exec.CommandContext(t.Context(), b.program, "-listen", b.address, "-data", b.data)
	out, err := b.running.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	b.running.Stderr = b.running.Stdout
	if err := b.running.Start(); err != nil {
		t.Fatal(err)
	}
	said, greeted := make(chan string, 1), make(chan struct{})
	b.said, b.greeted = said, greeted
	go func() { // ends with the process
		var all strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "The board is at") {
				close(greeted)
			}
			fmt.Fprintln(&all, lines.Text())
		}
		said <- all.String()
	}()
}

// ready waits until it answers.
func (b *process) ready(t *testing.T) {
	t.Helper()
	select {
	case <-b.greeted:
	case text := <-b.said:
		t.Fatalf("the board ended: %s", text)
	case <-time.After(time.Minute):
		t.Fatal("the board does not start")
	}
	answer, err := http.Get(b.url() + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the hub says %s", answer.Status)
	}
}

func (b *process) kill(t *testing.T) {
	t.Helper()
	if err := b.running.Process.Kill(); err != nil {
		t.Fatalf("the board has ended before it was killed: %v: %s", err, <-b.said)
	}
	text := <-b.said
	_ = b.running.Wait() // it was killed
	if strings.Contains(text, "level=ERROR") || strings.Contains(text, " ERROR ") || strings.Contains(text, "panic") {
		t.Errorf("the board says:\n%s", text)
	}
}
