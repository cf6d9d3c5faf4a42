import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Builds the board's program into a folder, from that of web/board, and says where it is. */
export function buildProgram(folder: string): string {
  const program = join(folder, 'board')
  execFileSync('go', ['build', '-trimpath', '-o', program, './examples/board'], {
    cwd: '../..',
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: 'inherit',
  })
  return program
}
