// Makes dist: the page, one script and one style sheet, which a policy without inline code allows.
import { copyFileSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const at = (path) => new URL(`../${path}`, import.meta.url).pathname

rmSync(at('dist'), { recursive: true, force: true })
await build({
  entryPoints: { board: at('src/main.tsx'), style: at('src/style/index.css') },
  outdir: at('dist'),
  bundle: true,
  minify: true,
  format: 'esm',
  jsx: 'automatic',
  target: 'es2022',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
})
copyFileSync(at('index.html'), at('dist/index.html'))
