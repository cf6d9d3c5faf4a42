import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

// A project of somebody else, who has the package as it would be published and nothing of the workspace.
const home = join(import.meta.dirname, '../..')
const project = mkdtempSync(join(tmpdir(), 'nave-consumer-'))
const installed = join(project, 'node_modules/@nave/spoke')
const description: {
  exports: Record<string, { types: string; default: string }>
  peerDependencies: Record<string, string>
} = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
const entries = Object.keys(description.exports).map((path) => path.replace('.', '@nave/spoke'))
const peers = Object.keys(description.peerDependencies)
const npm = (folder: string, ...args: string[]) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8' })

beforeAll(() => {
  // Without scripts: what is packed is what the tests have built.
  const [packed] = JSON.parse(npm(home, 'pack', '--json', '--ignore-scripts', '--pack-destination', project))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  npm(project, 'install', '--no-audit', '--no-fund', '--omit=peer', '--prefer-offline', `./${packed.filename}`)
}, 120_000)
afterAll(() => rmSync(project, { recursive: true }))

test('it has what it needs, and nothing else', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json', 'src'])
  expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toBe(readFileSync(join(home, '../../LICENSE'), 'utf8'))
  const scripts = files.filter((name) => name.startsWith('dist/') && name.endsWith('.js'))
  expect(scripts.length).toBeGreaterThan(20)
  for (const script of scripts) {
    const name = script.slice(0, -'.js'.length)
    for (const beside of ['.js.map', '.d.ts', '.d.ts.map']) expect(files).toContain(name + beside)
    const { sources } = JSON.parse(readFileSync(join(installed, `${script}.map`), 'utf8'))
    for (const source of sources) expect(files).toContain(join(script, '..', source))
  }
  expect(files.filter((name) => /test|tsconfig|vitest/.test(name))).toEqual([])
  const readme = readFileSync(join(installed, 'README.md'), 'utf8')
  for (const entry of entries) expect(readme).toContain(`\`${entry}\``)
})

test.each(entries)('%s is bundled for browsers, with one dependency', async (entry) => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${entry}'`, resolveDir: project },
    bundle: true,
    format: 'esm',
    external: peers,
    write: false,
    logLevel: 'silent',
  })
  expect(outputFiles[0]?.text).not.toContain('node:')
})

test('its types are those of every entry, for bundlers and for Node.js', () => {
  const names = entries.map((entry, i) => `import * as entry${i} from '${entry}'\nexport { entry${i} }\n`)
  const use = `import { createSpoke } from '@nave/spoke'
const spoke = createSpoke<{ moved: { column: string } }>({ url: 'http://nowhere' })
spoke.on('a', 'moved', ({ data }) => data?.column.length)
// @ts-expect-error there is no such type
spoke.on('a', 'sold', () => {})
`
  writeFileSync(join(project, 'index.ts'), names.join('') + use)
  const tsc = join(home, '../node_modules/typescript/bin/tsc')
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])
    execFileSync(
      process.execPath,
      [
        ...[tsc, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', ''],
        ...['--module', module ?? '', '--moduleResolution', resolution ?? '', 'index.ts'],
      ],
      { cwd: project, encoding: 'utf8' },
    )
}, 60_000)

test('it runs in Node.js', () => {
  const script = `import { createSpoke } from '@nave/spoke'
import { shareTabs } from '@nave/spoke/tabs'
const spoke = createSpoke({ url: 'http://127.0.0.1:9', tabs: shareTabs({ identity: 'me' }) })
spoke.watch(({ name, cause }) => { if (cause) { console.log(name, cause.kind); spoke.close() } })
spoke.subscribe('a', () => {})
`
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: project,
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect(said.trim()).toBe('connecting network')
})
