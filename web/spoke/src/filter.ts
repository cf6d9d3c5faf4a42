/**
 * What a filter begins with that asks to be seen on a topic, and to hear who else is:
 * the hub knows it as the parameter `presence`.
 */
export const seenOn = '$present/'

/**
 * Whether a filter asks for a topic: `*` is exactly one segment, `**`, at the end,
 * one or more. A wildcard in front matches none of the hub's own topics.
 */
export function matches(filter: string, topic: string): boolean {
  if (filter.startsWith(seenOn)) return topic === `$presence/${filter.slice(seenOn.length)}`
  if (topic.startsWith('$') && filter.startsWith('*')) return false
  const asked = filter.split('/')
  const there = topic.split('/')
  for (const [i, segment] of asked.entries()) {
    if (segment === '**') return there.length > i
    if (i >= there.length || (segment !== '*' && segment !== there[i])) return false
  }
  return asked.length === there.length
}
