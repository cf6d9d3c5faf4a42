// A page that has a spoke, and follows who is there.
import { mountDevtools } from '../../src/devtools/index.js'
import * as core from '../../src/index.js'
import { followPresence, type PresenceFollower, type PresenceOptions } from '../../src/presence/index.js'
import { shareTabs } from '../../src/tabs/index.js'

declare global {
  var attend: (topic: string, options?: PresenceOptions) => void
  var panel: (open?: boolean) => () => void
  var attending: Record<string, PresenceFollower>
}

const asked = new URLSearchParams(location.search)
const token = asked.get('token')
const tabs = asked.get('tabs')
const errors: string[] = []

globalThis.spoke = core.createSpoke({
  url: asked.get('hub') ?? '',
  ...(token !== null && { token: () => token }),
  ...(tabs !== null && { tabs: shareTabs({ identity: tabs }) }),
  onError: (error) => errors.push(String(error)),
})
globalThis.attending = {}
globalThis.attend = (topic, options) => {
  globalThis.attending[topic] = followPresence(globalThis.spoke, topic, options)
}
Object.assign(globalThis, { seen: { errors } })
globalThis.panel = (open = true) => mountDevtools(globalThis.spoke, { open })
