import type { Http } from './http.js'

/**
 * Has the browser send JSON to `/v1/…` after the page has gone, and says whether it will.
 * A beacon has no headers: it is of use to those who are known by a cookie, or need not be.
 */
export function beacon(http: Http, path: string, body: string): boolean {
  return http.tokens.current === undefined && navigator.sendBeacon(http.url(path), new Blob([body]))
}
