import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { GatewayError } from '../../src/base/index.ts'
import { cargoBuild } from '../load/index.ts'
import { type BenchArguments, type BenchCommand, finish, type Report, rounded, runBench } from '../report/index.ts'

const BASELINE = new URL('./baseline.json', import.meta.url)
/** What a packet's way may cost more, or less, than is written in the baseline. */
const TOLERANCE_PERCENT = 3
/** Names of native/crates/relay/examples/instructions.rs, with what they are for people. */
const WAYS = {
  'rtp-rtp': 'RTP ↔ RTP',
  'cm80-rtp': 'SRTP AES_CM_128_HMAC_SHA1_80 ↔ RTP',
  'gcm128-rtp': 'SRTP AEAD_AES_128_GCM ↔ RTP',
  'gcm256-rtp': 'SRTP AEAD_AES_256_GCM ↔ RTP',
} as const
type Way = keyof typeof WAYS

const COMMAND: BenchCommand = {
  name: 'instructions',
  summary: 'Instructions the native engine executes per relayed packet, against those that were written down.',
  options: {
    packets: { type: 'string', value: 'N', default: '100000', help: 'Packets relayed each way of protection.' },
    update: { type: 'boolean', help: 'Write what was found as the new baseline.' },
  },
  notes: `
A call is relayed in process under valgrind (callgrind): from the datagram that came in to the one that leaves, without the
system calls. The count does not depend on what else the machine does, so a change of ${TOLERANCE_PERCENT} % is one of the code, of the
compiler or of a library; without --update it is an error. Valgrind's processor has AES but no SHA instructions: SHA-1 is
dearer here than on the machine.

Figures for --require: WAY.instructions, WAY.changePercent, with WAY one of ${Object.keys(WAYS).join(', ')}.`,
}

interface Baseline {
  /** The compiler it was counted with: another one makes other code. */
  readonly rustc: string
  readonly instructionsPerPacket: Readonly<Partial<Record<Way, number>>>
}

async function instructions(args: BenchArguments): Promise<number> {
  const packets = args.number('packets', { min: 100, max: 10_000_000 })
  const rustc = await versionOfRustc()
  const program = await cargoBuild(
    ['-p', 'trunkline-relay', '--example', 'instructions'],
    'release/examples/instructions',
  )
  const found = {} as Record<Way, number>
  for (const way of waysOf()) found[way] = rounded((await countedBy(program, way, packets)) / packets, 1)
  if (args.flag('update')) {
    const baseline: Baseline = { rustc, instructionsPerPacket: found }
    await writeFile(BASELINE, `${JSON.stringify(baseline, undefined, 2)}\n`)
    process.stdout.write('the baseline is what was found\n')
  }
  const baseline = await readBaseline()
  const status = await finish(report(found, baseline, { packets, rustc }), args)
  const changed = waysOf().filter((way) => !isWithin(changeOf(way, found, baseline)))
  for (const way of changed) {
    process.stderr.write(`!!! ${WAYS[way]}: not within ${TOLERANCE_PERCENT} % of the baseline\n`)
  }
  if (changed.length > 0 && rustc !== baseline.rustc) {
    process.stderr.write(
      `The baseline is of rustc ${baseline.rustc}, this is ${rustc}: that alone may be the reason.\n`,
    )
  }
  return changed.length > 0 ? 1 : status
}

function waysOf(): Way[] {
  return Object.keys(WAYS) as Way[]
}

/** In percent; undefined where the baseline has nothing. */
function changeOf(way: Way, found: Readonly<Record<Way, number>>, baseline: Baseline): number | undefined {
  const before = baseline.instructionsPerPacket[way]
  return before === undefined ? undefined : rounded((found[way] / before - 1) * 100, 2)
}

function isWithin(changePercent: number | undefined): boolean {
  return changePercent !== undefined && Math.abs(changePercent) <= TOLERANCE_PERCENT
}

/** Instructions executed while packets were relayed. */
async function countedBy(program: string, way: Way, packets: number): Promise<number> {
  const { code, output } = await outputOf('valgrind', [
    '--tool=callgrind',
    '--callgrind-out-file=/dev/null',
    '--toggle-collect=*relay_round*',
    ...[program, way, `${packets}`],
  ])
  const collected = /Collected : (\d+)/.exec(output)?.[1]
  if (code === 0 && collected !== undefined) return Number(collected)
  const reason = code === undefined ? 'valgrind is not installed (Debian: apt-get install valgrind)' : output
  throw new GatewayError('CONFIG_INVALID', reason)
}

async function versionOfRustc(): Promise<string> {
  const { output } = await outputOf('rustc', ['--version'])
  return /rustc (\S+)/.exec(output)?.[1] ?? 'unknown'
}

/** `code` is undefined if the program cannot be started. */
async function outputOf(
  command: string,
  args: readonly string[],
): Promise<{ code: number | undefined; output: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const [code] = await once(child, 'close').catch(() => [undefined])
  return { code, output }
}

async function readBaseline(): Promise<Baseline> {
  const text = await readFile(BASELINE, 'utf8').catch(() => undefined)
  return text === undefined ? { rustc: 'unknown', instructionsPerPacket: {} } : (JSON.parse(text) as Baseline)
}

function report(
  found: Readonly<Record<Way, number>>,
  baseline: Baseline,
  parameters: { readonly packets: number; readonly rustc: string },
): Report {
  const figures = waysOf().map((way) => {
    const change = changeOf(way, found, baseline)
    return [way, { instructions: found[way], ...(change === undefined ? {} : { changePercent: change }) }] as const
  })
  const rows = waysOf().map((way) => {
    const change = changeOf(way, found, baseline)
    const before = baseline.instructionsPerPacket[way]
    return [WAYS[way], found[way], before ?? 'none', change === undefined ? '' : `${change} %`]
  })
  return {
    name: 'instructions',
    title: 'Instructions per relayed packet',
    about: COMMAND.summary,
    parameters,
    figures: Object.fromEntries(figures),
    tables: [{ title: 'Instructions per packet', columns: ['', 'found', 'baseline', 'change'], rows }],
    plots: [],
  }
}

await runBench(COMMAND, instructions)
