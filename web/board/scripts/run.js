// Runs a program of this package that is written in TypeScript:
//
//	node scripts/run.js figures/main.ts [flags]
import { build } from 'esbuild'

const [program, ...flags] = process.argv.slice(2)
if (program === undefined) throw new Error('usage: node scripts/run.js PROGRAM.ts [flags]')
// Where what it imports is found.
const outfile = new URL(`../../node_modules/.cache/board/${program.replaceAll('/', '-')}.js`, import.meta.url).pathname
await build({ entryPoints: [program], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' })
process.argv = [process.argv[0] ?? '', program, ...flags]
await import(outfile)
