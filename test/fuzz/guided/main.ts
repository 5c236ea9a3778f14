import { parseArgs } from 'node:util'
import { fuzzGuided } from './guided.ts'
import { TARGETS } from './targets.ts'

const HELP = `npm run fuzz -- [TARGET…] [--seconds N] [--seed N]

Looks for inputs that a reader of peers' bytes does not bear, led by what code they reach.
Targets: ${Object.keys(TARGETS).join(', ')}; without any, all of them in turns.
  --seconds N   for each target, default 60
  --seed N      of the search; default: another one each time
Ends with 1 if something was found.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, help: { type: 'boolean' } },
})
const unknown = positionals.filter((name) => !(name in TARGETS))
const seconds = Number(values.seconds)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (values.help === true) {
  console.log(HELP)
} else if (unknown.length > 0 || !(seconds > 0) || !Number.isInteger(seed)) {
  console.error(HELP)
  process.exitCode = 2
} else {
  for (const name of positionals.length > 0 ? positionals : Object.keys(TARGETS)) fuzz(name)
}

function fuzz(name: string): void {
  const target = TARGETS[name]
  if (target === undefined) return
  const { inputs, kept, reached, findings } = fuzzGuided(target(), { seconds, seed })
  const gain = `${reached.bySearch} characters of code beyond the ${reached.bySeeds} of the seeds`
  console.log(`${name}: seed ${seed}, ${inputs} inputs, ${kept} kept, ${gain}, ${findings.length} found`)
  for (const { what, input } of findings) console.log(`${what}\n  ${input.slice(0, 4_000)}`)
  if (findings.length > 0) process.exitCode = 1
}
