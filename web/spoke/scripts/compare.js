// What others cost a page, bundled in the same way as `size` does it, as a Markdown table for
// docs/spoke.md. They are installed into a folder that is removed again: nothing here depends on them.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const home = new URL('..', import.meta.url).pathname

const ours = [
  ['`@nave/spoke`', `export { createSpoke } from './dist/index.js'`],
  [
    '`@nave/spoke` with `tabs`',
    `export { createSpoke } from './dist/index.js'; export { shareTabs } from './dist/tabs/index.js'`,
  ],
]

/** What an application imports of each to follow and, where it can, to publish. */
const others = [
  ['@microsoft/fetch-event-source', '2.0.1', `export { fetchEventSource } from '@microsoft/fetch-event-source'`],
  ['phoenix', '1.8.16', `export { Socket } from 'phoenix'`],
  ['socket.io-client', '4.8.4', `export { io } from 'socket.io-client'`],
  ['pusher-js', '8.6.0', `import Pusher from 'pusher-js'; export { Pusher }`],
  ['centrifuge', '5.8.0', `export { Centrifuge } from 'centrifuge'`],
  [
    'ably',
    '2.28.0',
    `export { BaseRealtime, FetchRequest, WebSocketTransport } from 'ably/modular'`,
    'with WebSocket and fetch alone',
  ],
  ['ably', '2.28.0', `export { Realtime } from 'ably'`],
]

async function measure(code, folder) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  })
  const [{ contents }] = outputFiles
  return { minified: contents.length, compressed: gzipSync(contents, { level: 9 }).length }
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

async function row(name, version, code, folder) {
  const { minified, compressed } = await measure(code, folder)
  return `| ${name} | ${version} | ${kB(minified)} | ${kB(compressed)} |`
}

const folder = mkdtempSync(join(tmpdir(), 'nave-compare-'))
try {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const wanted = new Set(others.map(([name, version]) => `${name}@${version}`))
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  execFileSync('npm', ['install', '--save-exact', ...quiet, ...wanted], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  console.log('| | version | minified | and compressed |\n|---|---|---|---|')
  for (const [name, code] of ours) console.log(await row(name, '', code, home))
  for (const [name, version, code, what] of others)
    console.log(await row(`${name}${what ? `, ${what}` : ''}`, version, code, folder))
} finally {
  rmSync(folder, { recursive: true })
}
