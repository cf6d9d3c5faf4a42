/**
 * The spoke in React: hooks of a few lines over one spoke that the application makes.
 * They bear strict mode, and rendering on a server: there nothing is known yet.
 *
 * @module
 */
export { useEvents } from './events.js'
export { usePresence } from './presence.js'
export { SpokeProvider, useSpoke } from './provider.js'
export { type Publishing, usePublish } from './publish.js'
export { type LiveView, type OutboxView, useLiveState, useOutbox } from './state.js'
export { useHubStatus } from './status.js'
