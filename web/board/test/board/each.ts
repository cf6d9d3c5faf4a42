import { afterEach, beforeEach, expect } from 'vitest'
import { Office } from './office.js'

/** Each test of a file that imports this has its own, in which no page may throw. */
export let office: Office
beforeEach(async () => {
  office = await Office.open()
})
afterEach(async () => {
  const { errors } = office
  await office.close()
  expect(errors).toEqual([])
})
