import { createElement } from 'react'
import { plain, type Told } from '../told.js'

/** Somebody's words among ours. */
export function Words({ children }: { children: string }) {
  return <bdi>{plain(children)}</bdi>
}

/** A sentence of ours with somebody's words in it. */
export function Sentence({ children }: { children: Told }) {
  const parts = children.map((part, i) => (i % 2 === 0 ? part : <Words>{part}</Words>))
  return createElement('span', null, ...parts)
}
