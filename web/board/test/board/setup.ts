import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    program: string
    chromium: string
  }
}

/** Builds the program; the page was built before. */
export default async function setup(project: TestProject) {
  const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  if (!existsSync(chromium))
    throw new Error(`there is no ${chromium}: install Chromium, or say in CHROMIUM where it is`)
  const folder = mkdtempSync(join(tmpdir(), 'nave-board-'))
  const program = join(folder, 'board')
  execFileSync('go', ['build', '-o', program, './examples/board'], {
    cwd: join(import.meta.dirname, '../../../..'),
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: 'inherit',
  })
  project.provide('program', program)
  project.provide('chromium', chromium)
  return () => rmSync(folder, { recursive: true })
}
