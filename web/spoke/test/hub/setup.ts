import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    hub: string
    proxy: string
    bundles: string
    chromium: string
  }
}

const here = import.meta.dirname
const repository = join(here, '../../../..')

/** Builds the hub, the proxy, and the pages that the browser is shown. */
export default async function setup(project: TestProject) {
  const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  if (!existsSync(chromium))
    throw new Error(`there is no ${chromium}: install Chromium, or say in CHROMIUM where it is`)
  const folder = mkdtempSync(join(tmpdir(), 'nave-spoke-'))
  const hub = join(folder, 'hub')
  const proxy = join(folder, 'proxy')
  for (const [program, of] of [
    [hub, './cmd/hub'],
    [proxy, './tests/proxy/run'],
  ] as const) {
    const env = { ...process.env, CGO_ENABLED: '0' }
    execFileSync('go', ['build', '-o', program, of], { cwd: repository, env, stdio: 'inherit' })
  }
  await build({
    entryPoints: {
      page: join(here, 'page.ts'),
      react: join(here, 'react-page.tsx'),
      parts: join(here, 'parts-page.ts'),
      edits: join(here, 'edits-page.ts'),
      board: join(here, 'board-page.tsx'),
      query: join(here, 'query-page.tsx'),
      example: join(here, '../../examples/example.ts'),
    },
    outdir: folder,
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    target: 'es2022',
    logLevel: 'warning',
  })
  project.provide('hub', hub)
  project.provide('proxy', proxy)
  project.provide('bundles', folder)
  project.provide('chromium', chromium)
  return () => rmSync(folder, { recursive: true })
}
