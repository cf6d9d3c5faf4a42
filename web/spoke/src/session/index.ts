/**
 * What people do: sessions, which begin, rest and end, and what is done in them.
 *
 * @module
 */
export {
  type Session,
  type SessionEvents,
  type SessionOptions,
  type SessionSaid,
  type SessionState,
  trackSession,
} from './session.js'
export { createTracker, type Tracker, type TrackerOptions } from './tracker.js'
