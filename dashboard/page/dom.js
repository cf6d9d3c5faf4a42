// Making elements, and keeping those that are there: what is kept keeps its focus.

export const $ = id => document.getElementById(id)

// el makes an element. What begins with "on" is a listener, everything else an
// attribute; false and null leave it out.
export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) e.addEventListener(key.slice(2), value)
    else if (value === true) e.setAttribute(key, '')
    else if (value !== false && value != null) e.setAttribute(key, value)
  }
  e.append(...children.filter(c => c != null).map(c => typeof c === 'string' ? plain(c) : c))
  return e
}

// plain shows characters that would steer the text around them, such as those that turn
// its direction, in place of obeying them.
export const plain = text => String(text).replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
  c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

// svg is el for drawings.
export function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value)
  e.append(...children)
  return e
}

// say changes a text only if it has changed, so that nothing is announced twice.
export function say(element, text) {
  text = plain(text)
  if (element.textContent !== text) element.textContent = text
}

// list keeps one child of parent for each item, in their order. make makes one, as
// { element, update }; update is called with each item, also of one just made.
export function list(parent, make, keyOf) {
  const kept = new Map()
  return items => {
    const keys = new Set(items.map(keyOf))
    for (const [key, { element }] of kept) {
      if (keys.has(key)) continue
      element.remove()
      kept.delete(key)
    }
    let at = parent.firstElementChild
    for (const item of items) {
      const key = keyOf(item)
      if (!kept.has(key)) kept.set(key, make(item))
      const { element, update } = kept.get(key)
      update(item)
      if (element === at) at = at.nextElementSibling
      else if (element.isConnected && parent.moveBefore) parent.moveBefore(element, at) // keeps the focus
      else parent.insertBefore(element, at)
    }
  }
}

// cells makes a table's row of so many cells, the first its header, and returns it with
// the cells.
export function cells(classes) {
  const all = classes.map((name, i) => el(i === 0 ? 'th' : 'td', { class: name || null, scope: i === 0 ? 'row' : null }))
  return [el('tr', {}, ...all), ...all]
}

// whileSeen calls ask now and then while an element is in sight, on a page that is, and
// returns what has it called at once.
export function whileSeen(element, every, ask) {
  let seen = false
  let timer = 0
  let asking = false
  let wanted = false // once more, at once
  const turn = async () => {
    clearTimeout(timer)
    wanted = asking
    if (!seen || document.hidden || asking) return
    asking = true
    try {
      await ask()
    } finally {
      asking = false
      timer = setTimeout(turn, wanted ? 0 : every)
    }
  }
  new IntersectionObserver(entries => {
    seen = entries.at(-1).isIntersecting
    turn()
  }, { rootMargin: '100px' }).observe(element)
  document.addEventListener('visibilitychange', turn)
  return turn
}
