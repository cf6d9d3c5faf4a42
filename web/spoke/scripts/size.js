// What each entry costs a page, minified and compressed. An entry over its budget fails.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Bytes, min+gzip, with all that the entry needs but for `without`, which a page that takes it has already. */
const budgets = {
  core: { code: `export { createSpoke } from './dist/index.js'`, budget: 13_300 },
  'core + eventsource': {
    code: `export { createSpoke } from './dist/index.js'; export { eventSource } from './dist/transports/eventsource.js'`,
    budget: 13_600,
  },
  'core + tabs': {
    code: `export { createSpoke } from './dist/index.js'; export { shareTabs } from './dist/tabs/index.js'`,
    budget: 15_500,
  },
  'core + session': {
    code: `export { createSpoke } from './dist/index.js'; export * from './dist/session/index.js'`,
    budget: 15_500,
  },
  'core + receipts': {
    code: `export { createSpoke } from './dist/index.js'; export * from './dist/receipts/index.js'`,
    budget: 14_300,
  },
  'core + outbox': {
    code: `export { createSpoke } from './dist/index.js'; export { createOutbox } from './dist/outbox/index.js'`,
    budget: 16_900,
  },
  'core + state': {
    code: `export { createSpoke } from './dist/index.js'; export { liveState } from './dist/state/index.js'`,
    budget: 15_500,
  },
  devtools: {
    code: `export * from './dist/devtools/index.js'`,
    budget: 4_700,
    without: ['../problem.js', '../wire.js'],
  },
  presence: {
    code: `export * from './dist/presence/index.js'`,
    budget: 1_500,
    without: ['../problem.js', '../listeners.js'],
  },
  react: { code: `export * from './dist/react/index.js'`, budget: 1_400, without: ['../presence/index.js'] },
  query: { code: `export * from './dist/query/index.js'`, budget: 2_150, without: ['../wire.js', '../reporting.js'] },
  'react-query': { code: `export * from './dist/react/query.js'`, budget: 500, without: ['../query/index.js'] },
}

let over = false
for (const [name, { code, budget, without = [] }] of Object.entries(budgets)) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true,
    external: ['react', '@tanstack/query-core', ...without],
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length
  over ||= bytes > budget
  console.log(`${name.padEnd(20)} ${String(bytes).padStart(6)} of ${budget} bytes${bytes > budget ? '  OVER' : ''}`)
}
process.exit(over ? 1 : 0)
