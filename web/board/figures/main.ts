// Measures the board, polling against live, and writes what comes out into
// examples/board/FIGURES.md and in short into README.md: make board-figures. With
// --quick, for a look, nothing is written.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { launch } from './browser.js'
import { buildProgram } from './build.js'
import { type Load, measure, type Place, seconds } from './measure.js'
import { Program, type Usage } from './program.js'
import { inShort, type Run, report, withTable } from './report.js'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
  },
})

const thirty = { tabs: 2, others: 28 }
const nobody = { tabs: 0, others: 0 }
/** How long what is changed last takes to come, in seconds: who polls asks for the board every 30 s. */
const settle = { polling: 31, live: 1 }

/** A board of thirty people, each of whom changes something every five minutes. */
const ordinary = {
  ...thirty,
  changesASecond: 0.1,
  seconds: flags.quick ? 30 : 300,
  warmUp: 15,
  ownMoves: flags.quick ? 10 : 30,
  hub: true,
}
/** A hundred events a second. */
const busy = {
  changesASecond: 100 / 1.8,
  seconds: flags.quick ? 20 : 60,
  warmUp: 10,
  ownMoves: flags.quick ? 10 : 30,
  hub: true,
}

const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
const otherWork = await busyProcessors()
if (!flags.quick && commit.endsWith('-dirty')) throw new Error('commit first: figures are those of a commit')
if (!flags.quick && otherWork > 0.2)
  throw new Error(`other work keeps ${otherWork.toFixed(2)} processors busy: figures would be of that`)
const folder = mkdtempSync(join(tmpdir(), 'nave-figures-'))
const browser = await launch()
const place = { program: buildProgram(folder), page: 'dist', browser }
try {
  // What does little is measured at the same time; the rest by itself.
  const [polling, live, idle, without] = await Promise.all([
    tell({ ...ordinary, mode: 'polling', settle: settle.polling }),
    tell({ ...ordinary, mode: 'live', settle: settle.live }),
    rest(place, true),
    rest(place, false),
  ])
  const run: Run = {
    ordinary: { polling, live },
    busy: {
      polling: await tell({ ...busy, ...thirty, mode: 'polling', settle: settle.polling }),
      live: await tell({ ...busy, ...thirty, mode: 'live', settle: settle.live }),
    },
    unseen: await tell({ ...busy, ...nobody, mode: 'live', settle: 0 }),
    without: await tell({ ...busy, ...nobody, mode: 'polling', hub: false, settle: 0 }),
    rest: { idle, without },
    otherWork,
    machine: `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    commit,
    browser: browser.version(),
  }
  console.log(report(run))
  if (!flags.quick) {
    writeFileSync('../../examples/board/FIGURES.md', report(run))
    writeFileSync('../../README.md', withTable(readFileSync('../../README.md', 'utf8'), inShort(run)))
  }
} finally {
  await browser.close()
  rmSync(folder, { recursive: true })
}

async function tell(load: Load) {
  const { mode, tabs, others, hub } = load
  const people = tabs + others > 0 ? `${tabs + others} people ${mode}` : `nobody there${hub ? '' : ', and no hub'}`
  console.error(`${people}, ${load.changesASecond.toFixed(1)} changes a second, for ${load.seconds} s …`)
  return measure(place, load)
}

/** What the program uses when nobody is there and nothing happens, after its garbage was collected. */
async function rest(built: Place, hub: boolean): Promise<{ before: Usage; after: Usage }> {
  const resting = await Program.start(built, hub)
  await seconds(5)
  const before = resting.usage
  // Where there is so little that none has been collected yet, none will be.
  await Promise.race([resting.idleCollection(), seconds(flags.quick ? 20 : 150)])
  await seconds(1) // the runtime gives memory back
  const after = resting.usage
  await resting.close()
  return { before, after }
}

/** How many processors are busy, over three seconds. */
async function busyProcessors(): Promise<number> {
  const idle = () => cpus().reduce((sum, { times }) => sum + times.idle, 0)
  const [before, at] = [idle(), performance.now()]
  await seconds(3)
  return Math.max(0, cpus().length - (idle() - before) / (performance.now() - at))
}
