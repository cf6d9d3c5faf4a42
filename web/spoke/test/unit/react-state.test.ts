import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { useLiveState } from '../../src/react/index.js'

test('on a server a live state is empty, and not opened', () => {
  function Cards() {
    const { items, ready, error } = useLiveState(() => {
      throw new Error('opened')
    }, 'cards/1')
    return createElement('p', undefined, `${items.size} ${ready} ${error}`)
  }
  expect(renderToString(createElement(Cards))).toBe('<p>0 false undefined</p>')
})
