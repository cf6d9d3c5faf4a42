package dashboard

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/navehub/nave/tests/trial"
)

var shots = flag.String("shots", "", "keep pictures of the page in this directory")

// patience is for what must happen, and happens soon; a machine may be busy.
const patience = 30 * time.Second

// A tab is the dashboard as somebody has it open.
type tab struct {
	*testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string // what the browser has complained of
}

// chromium finds the browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	trial.Need(t, false, "Chromium")
	return ""
}

// open opens the dashboard in a browser of its own. In the end the browser must have had
// nothing to complain of: no script has failed, and nothing was tried that the page's own
// policy forbids.
func open(t *testing.T, url string) *tab {
	t.Helper()
	b := &tab{T: t}
	allocator, end := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(end)
	var leave context.CancelFunc
	b.ctx, leave = chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf), chromedp.WithListener(b.hear))
	t.Cleanup(leave)
	// The first of these starts the browser, which ends with the context of it.
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `document.addEventListener('securitypolicyviolation', e => console.error('forbidden: ' + e.violatedDirective + ' ' + e.blockedURI))`,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(url+"/dashboard"))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.wrong {
			t.Errorf("the browser complains: %s", complaint)
		}
		if t.Failed() {
			b.picture(t.Name())
		}
	})
	return b
}

func (b *tab) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			complaint += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			for _, arg := range e.Args {
				complaint += fmt.Sprintf("%s %s ", arg.Value, arg.Description)
			}
		}
	case *log.EventEntryAdded:
		// A refusal, or a hub that is away, is what some tests are about.
		if e.Entry.Source != "network" && (e.Entry.Level == "error" || e.Entry.Level == "warning") {
			complaint = e.Entry.Text
		}
	}
	if complaint != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wrong = append(b.wrong, complaint)
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// eval is the value of an expression, which may be a promise.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if eval[bool](b, "!!("+expression+")") {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("not within %v: %s; the page is\n%.3000s", patience, expression, eval[string](b, "document.body.innerText"))
		}
	}
}

// shows waits for an element to have the words in it, and to be seen.
func (b *tab) shows(selector, words string) {
	b.Helper()
	b.until(fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.checkVisibility() && e.textContent.includes(%q))", selector, words))
}

// hides waits for all such elements to be gone, or not to be seen.
func (b *tab) hides(selector string) {
	b.Helper()
	b.until(fmt.Sprintf("![...document.querySelectorAll(%q)].some(e => e.checkVisibility())", selector))
}

// focus and scrollTo need no mouse.
func (b *tab) focus(selector string) {
	b.Helper()
	b.do(chromedp.Focus(chromedp.CSS(selector)))
}

func (b *tab) scrollTo(selector string) {
	b.Helper()
	b.do(chromedp.ScrollIntoView(chromedp.CSS(selector)))
}

func (b *tab) text(selector string) string {
	b.Helper()
	return eval[string](b, fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector))
}

// still waits until an element has stood still for a while: what has just come into
// sight above it may be filled.
const still = `new Promise(done => {
	let before = ''
	let turns = 0
	const look = () => {
		const now = JSON.stringify(document.querySelector(%q)?.getBoundingClientRect())
		turns = now === before ? turns + 1 : 0
		before = now
		turns < 4 ? setTimeout(look, 100) : done(1)
	}
	look()
})`

// click clicks where the element is, with the mouse.
func (b *tab) click(selector string) {
	b.Helper()
	at := chromedp.CSS(selector)
	b.do(chromedp.WaitVisible(at), chromedp.ScrollIntoView(at))
	eval[int](b, fmt.Sprintf(still, selector))
	b.do(chromedp.Click(at))
}

// write fills in a field, by the keyboard.
func (b *tab) write(selector, text string) {
	b.Helper()
	eval[string](b, fmt.Sprintf("document.querySelector(%q).value = ''", selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// press presses keys wherever the focus is.
func (b *tab) press(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

const (
	keyTab    = kb.Tab
	keyEnter  = kb.Enter
	keyEscape = kb.Escape
)

// focused says what has the focus.
func (b *tab) focused() string {
	b.Helper()
	return eval[string](b, `(e => e === document.body ? 'BODY' : e.id || e.textContent.trim().slice(0, 40) || e.tagName)(document.activeElement)`)
}

// look makes the window as wide, and as dark, as asked.
func (b *tab) look(width, height int64, scheme string) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, height))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// picture keeps one of the whole page, if somebody wants it.
func (b *tab) picture(name string) {
	if *shots == "" {
		return
	}
	eval[int](b, "(scrollTo(0, 0), 1)") // or the bar at the top stands in the middle
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Logf("no picture: %v", err)
		return
	}
	path := filepath.Join(*shots, strings.ReplaceAll(name, "/", "-")+".png")
	if err := os.WriteFile(path, png, 0o600); err != nil {
		b.Error(err)
	}
}
