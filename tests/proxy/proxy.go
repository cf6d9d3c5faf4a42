// Package proxy stands between clients and a hub, and goes wrong in the ways in which
// networks and proxies do.
package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

// A Mode is what a [Proxy] does with all that comes.
type Mode string

const (
	// Pass hands on what comes.
	Pass Mode = ""
	// Hold keeps streams back until they end, as nginx does by default.
	Hold Mode = "hold"
	// Swallow drops what the hub sends, as a network does that is gone and does not say so.
	Swallow Mode = "swallow"
	// Refuse takes no connections.
	Refuse Mode = "refuse"
	// Busy answers 503, with a Retry-After of 7 s.
	Busy Mode = "busy"
	// Fail answers 502, with a page.
	Fail Mode = "fail"
	// Portal answers 200 with a page, as networks do that want a log-in.
	Portal Mode = "portal"
)

var answers = map[Mode]string{
	Busy: answer("503 Service Unavailable\r\nRetry-After: 7\r\nAccess-Control-Expose-Headers: Retry-After\r\nContent-Type: application/problem+json",
		`{"status":503,"code":"overloaded","detail":"too much to do"}`),
	Fail:   answer("502 Bad Gateway\r\nContent-Type: text/html", "<h1>Bad Gateway</h1>"),
	Portal: answer("200 OK\r\nContent-Type: text/html", "<h1>Welcome to our network</h1>"),
}

func answer(head, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// Faults are what is wrong with a [Proxy].
type Faults struct {
	Mode Mode `json:"mode"`
	// By how many milliseconds answers come late.
	LateStreams int `json:"lateStreams"`
	LatePages   int `json:"latePages"`
	// LastsMs is after how many milliseconds every stream is ended, in good order.
	LastsMs int `json:"lastsMs"`
	// CutEach has every stream reset within so many bytes, by chance.
	CutEach int `json:"cutEach"`
	// CutAfter resets the next connection over which a text comes, once.
	CutAfter Cut `json:"cutAfter"`
}

// A Cut is a place: so many bytes after the beginning of a text.
type Cut struct {
	Text  string `json:"text"`
	Bytes int    `json:"bytes"`
}

// Seen is what has come to a [Proxy].
type Seen struct {
	Requests int `json:"requests"`
	Streams  int `json:"streams"`
	// StreamsAt is when streams were asked for, in milliseconds since 1970.
	StreamsAt []int64 `json:"streamsAt"`
}

// A Proxy passes on bytes, well or badly, and knows no more of HTTP than it must. Its
// methods may be called from any goroutine.
type Proxy struct {
	to       string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	faults Faults
	seen   Seen
	pairs  map[*pair]struct{}
}

// New starts a proxy to an address. It runs until Close.
func New(to string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{to: to, listener: l, pairs: make(map[*pair]struct{})}
	p.running.Go(p.accept)
	return p, nil
}

// URL is where clients find the proxy.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Set changes what is wrong: all of it.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Seen is what has come until now.
func (p *Proxy) Seen() Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// Cut ends all connections wherever they are, half of them by a reset.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.end(rand.IntN(2) == 0)
	}
}

// Close ends the proxy, and waits for that.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		client := c.(*net.TCPConn)
		if p.now().Mode == Refuse {
			_ = client.SetLinger(0)
			_ = client.Close()
			continue
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) now() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// A pair is one connection of a client, and the one to the hub that belongs to it.
type pair struct {
	client *net.TCPConn
	hub    net.Conn
	late   atomic.Int64 // milliseconds until the next answer
	ended  chan struct{}
	once   sync.Once
}

func (c *pair) end(reset bool) {
	c.once.Do(func() {
		close(c.ended)
		if reset {
			_ = c.client.SetLinger(0)
		}
		_ = c.client.Close()
		_ = c.hub.Close()
	})
}

func (p *Proxy) serve(client *net.TCPConn) {
	hub, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &pair{client: client, hub: hub, ended: make(chan struct{})}
	p.mu.Lock()
	p.pairs[c] = struct{}{}
	p.mu.Unlock()
	var down sync.WaitGroup
	down.Go(func() { c.end(p.down(c)) })
	p.up(c)
	c.end(false)
	down.Wait()
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

var (
	request = regexp.MustCompile(`(?m)^(GET|POST) `)
	stream  = regexp.MustCompile(`(?im)^accept: text/event-stream`)
)

// up hands on what the client sends.
func (p *Proxy) up(c *pair) {
	chunk := make([]byte, 64<<10)
	for {
		n, err := c.client.Read(chunk)
		if err != nil {
			return
		}
		f, streams := p.count(chunk[:n])
		if own, ok := answers[f.Mode]; ok {
			_, err = io.WriteString(c.client, own)
		} else {
			late := f.LatePages
			if streams > 0 {
				late = f.LateStreams
			}
			c.late.Store(int64(late))
			_, err = c.hub.Write(chunk[:n])
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) count(chunk []byte) (f Faults, streams int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	streams = len(stream.FindAll(chunk, -1))
	p.seen.Requests += len(request.FindAll(chunk, -1))
	p.seen.Streams += streams
	for range streams {
		p.seen.StreamsAt = append(p.seen.StreamsAt, time.Now().UnixMilli())
	}
	return p.faults, streams
}

// down hands on what the hub sends, and reports whether the connection is to be reset.
func (p *Proxy) down(c *pair) (reset bool) {
	var held []byte
	left := -1 // bytes until the cut; negative for none
	for chunk := make([]byte, 64<<10); ; {
		n, err := c.hub.Read(chunk)
		if err != nil {
			_, _ = c.client.Write(held)
			return false
		}
		f, came := p.now(), chunk[:n]
		if f.Mode == Swallow {
			continue
		}
		if bytes.Contains(came, []byte("text/event-stream")) {
			if f.LastsMs > 0 {
				soon := time.AfterFunc(time.Duration(f.LastsMs)*time.Millisecond, func() { c.end(false) })
				defer soon.Stop()
			}
			if f.CutEach > 0 {
				left = rand.IntN(f.CutEach)
			}
			if f.Mode == Hold {
				held = append(held, came...)
				continue
			}
		}
		if held != nil {
			held = append(held, came...)
			continue
		}
		c.wait()
		if at, ok := p.cutAfter(came); ok {
			left = at
		}
		if left >= 0 && left < n {
			_, _ = c.client.Write(came[:left])
			return true
		}
		if left >= 0 {
			left -= n
		}
		if _, err = c.client.Write(came); err != nil {
			return !errors.Is(err, net.ErrClosed)
		}
	}
}

// wait has an answer come late.
func (c *pair) wait() {
	if late := c.late.Swap(0); late > 0 {
		select {
		case <-time.After(time.Duration(late) * time.Millisecond):
		case <-c.ended:
		}
	}
}

// cutAfter finds the place where a connection is to be cut, and forgets it.
func (p *Proxy) cutAfter(chunk []byte) (at int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cut := p.faults.CutAfter
	if cut.Text == "" {
		return 0, false
	}
	if at = bytes.Index(chunk, []byte(cut.Text)); at < 0 {
		return 0, false
	}
	p.faults.CutAfter = Cut{}
	return at + cut.Bytes, true
}
