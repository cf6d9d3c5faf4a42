package dashboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

// lively is a page with something to see on it.
func lively(t *testing.T) (*testHub, *tab) {
	t.Helper()
	h := startHub(t)
	for i := range 6 {
		h.follow(fmt.Sprintf("boards/%d/**&topic=users/%d", i, i), "somebody")
	}
	b := open(t, h.url)
	b.shows("#status-text", live)
	b.click("#follow")
	b.shows("#events", "hub.sync")
	for i := range 40 {
		h.publish(fmt.Sprintf(`{"topic":"boards/%d/cards","type":"card.moved","key":"card-%d","data":{"to":"done","place":%d}}`, i%6, i, i))
	}
	b.shows("#events", "card-39")
	return h, b
}

// Nothing sticks out, from a phone to a wide screen.
func TestFitsEveryScreen(t *testing.T) {
	h, b := lively(t)
	if err := h.Pin(t.Context(), &hub.Pin{Level: nave.LevelShed, By: "somebody", Reason: strings.Repeat("a long reason ", 30)}); err != nil {
		t.Fatal(err)
	}
	b.shows("#level-word", "shed")
	for _, width := range []int64{320, 390, 768, 1024, 1440, 2560} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(width, 900, scheme)
			if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("at %d the page is %d wide: %s", width, wide, eval[string](b, fmt.Sprintf(
					`[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > %d && !e.closest('.scroll, .events, nav, .away')).map(e => e.id || e.className || e.tagName).slice(0, 5).join()`, width)))
			}
			b.picture(fmt.Sprintf("%s-%d", scheme, width))
		}
	}
}

// contrast finds texts that are hard to read: less than 4.5 to 1 against what is behind
// them, as WCAG 2.2 asks for.
const contrast = `(() => {
	const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
	const rgba = color => {
		canvas.clearRect(0, 0, 1, 1)
		canvas.fillStyle = color
		canvas.fillRect(0, 0, 1, 1)
		return [...canvas.getImageData(0, 0, 1, 1).data]
	}
	const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
	const behind = e => {
		for (; e; e = e.parentElement) {
			const color = rgba(getComputedStyle(e).backgroundColor)
			if (color[3] > 250) return color
		}
		return [255, 255, 255, 255]
	}
	const bad = new Set()
	for (const e of document.querySelectorAll('body *')) {
		const text = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
		if (!text || !e.checkVisibility() || e.closest('.away, [aria-hidden=true], :disabled')) continue
		const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a)
		const ratio = (a + 0.05) / (b + 0.05)
		if (ratio < 4.5) bad.add((e.id || e.className || e.tagName) + ': ' + ratio.toFixed(2))
	}
	return [...bad].join(', ')
})()`

// faults finds what somebody would miss who hears the page, or uses no mouse.
const faults = `(() => {
	const bad = []
	const seen = e => e.checkVisibility()
	for (const e of document.querySelectorAll('input, select, textarea'))
		if (seen(e) && !e.labels?.length && !e.ariaLabel) bad.push('no label: ' + e.id)
	for (const e of document.querySelectorAll('button, a, summary'))
		if (seen(e) && !e.textContent.trim()) bad.push('no name: ' + e.outerHTML)
	for (const e of document.querySelectorAll('table')) {
		if (!e.caption?.textContent.trim()) bad.push('no caption: ' + e.outerHTML.slice(0, 80))
		if ([...e.querySelectorAll('th')].some(th => !th.scope)) bad.push('a header without scope in ' + e.caption.textContent)
	}
	for (const e of document.querySelectorAll('svg'))
		if (e.getAttribute('role') !== 'img' || !e.getAttribute('aria-label')) bad.push('a drawing without words')
	const names = [...document.querySelectorAll('main button')].filter(seen).map(b => b.textContent.trim())
	for (const name of names) if (names.indexOf(name) !== names.lastIndexOf(name)) bad.push('two buttons are called ' + name)
	let depth = 0
	for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
		if (!seen(h)) continue
		if (h.tagName[1] - depth > 1) bad.push('a heading is skipped before ' + h.textContent)
		depth = Number(h.tagName[1])
	}
	for (const [what, n] of [['main', 1], ['header', 1], ['nav[aria-label]', 1], ['h1', 1], ['[aria-live=polite][role=status]', 1]])
		if (document.querySelectorAll(what).length !== n) bad.push(what + ' is not there once')
	const ids = [...document.querySelectorAll('[id]')].map(e => e.id)
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push('two have the id ' + id)
	for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby], label[for]'))
		for (const id of [e.getAttribute('aria-labelledby'), e.getAttribute('aria-describedby'), e.getAttribute('for')])
			if (id && !document.getElementById(id)) bad.push('nothing is called ' + id)
	return bad.join('; ')
})()`

func TestReadableAndNamed(t *testing.T) {
	h, b := lively(t)
	for _, level := range nave.Levels {
		if err := h.Pin(t.Context(), &hub.Pin{Level: level, By: "somebody", Reason: "a drill"}); err != nil {
			t.Fatal(err)
		}
		b.shows("#level-word", string(level))
		for _, scheme := range []string{"light", "dark"} {
			b.look(1440, 900, scheme)
			if found := eval[string](b, contrast); found != "" {
				t.Errorf("%s, %s: hard to read: %s", level, scheme, found)
			}
		}
		if found := eval[string](b, faults); found != "" {
			t.Errorf("%s: %s", level, found)
		}
	}
	b.click("#hold-another")
	for _, scheme := range []string{"light", "dark"} {
		b.look(1440, 900, scheme)
		if found := eval[string](b, contrast) + eval[string](b, faults); found != "" {
			t.Errorf("the dialog, %s: %s", scheme, found)
		}
	}
}

// Everything that can be done can be done by the keyboard, and one sees where one is.
func TestKeyboardAlone(t *testing.T) {
	h := startHub(t)
	h.follow("boards/1", "somebody")
	b := open(t, h.url)
	b.shows("#status-text", live)
	b.scrollTo("#breakers-panel")
	b.shows("#breakers button", "Reset")
	b.scrollTo("#connections-panel")
	b.shows("#connections button", "Disconnect")
	eval[int](b, "(scrollTo(0, 0), 1)")

	b.press(keyTab)
	if at := b.focused(); at != "Skip to the content" {
		t.Errorf("first comes %q", at)
	}
	var order []string
	for range 60 {
		b.press(keyTab)
		at := b.focused()
		if at == "BODY" {
			break
		}
		order = append(order, at)
		seen := `(e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 })(document.activeElement)`
		if !eval[bool](b, seen) {
			t.Errorf("one does not see that %q has the focus", at)
		}
	}
	walk := strings.Join(order, " | ")
	for _, must := range []string{"Level", "hold-another", "streams-off", "Reset breaker log", "Reset breaker mail", "search", "order", "Disconnect connection", "filter", "follow", "own"} {
		if !strings.Contains(walk, must) {
			t.Errorf("the keyboard does not come to %s: %s", must, walk)
		}
	}
	if i, j := strings.Index(walk, "streams-off"), strings.Index(walk, "follow"); i > j {
		t.Errorf("the order is not that of the page: %s", walk)
	}

	b.focus("#connections button")
	before := b.focused()
	eval[int](b, "new Promise(r => setTimeout(() => r(1), 4000))") // the rows are asked for again
	if after := b.focused(); after != before {
		t.Errorf("new rows take the focus from %q to %q", before, after)
	}

	b.focus("#streams-off")
	b.press(keyEnter)
	b.shows("#hold-title", "Hold a level")
	for range 12 { // the focus stays in the dialog, or goes to the browser's own
		b.press(keyTab)
		if !eval[bool](b, "document.activeElement === document.body || document.activeElement.closest('#hold') !== null") {
			t.Fatalf("the focus leaves the dialog for %s", b.focused())
		}
	}
	b.press(keyEscape)
	b.hides("#hold")
	if at := b.focused(); at != "streams-off" {
		t.Errorf("after the dialog the focus is at %q", at)
	}
	b.press(keyEnter)
	b.focus("#hold-reason")
	b.press("d", "r", "i", "l", "l", keyEnter)
	b.shows("#pin", "“drill”")
}
