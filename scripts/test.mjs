// Runs the checks and tests of the project by groups: npm test [-- GROUP...]
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cargoMissing } from './media-engine.mjs'
import { missingPrograms, provide } from './programs.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const inCi = process.env.CI === 'true'
const MINUTE = 60_000

/** `needs`: programs from outside of npm. `limitMs`: a group that hangs is ended and counts as failed. */
const GROUPS = [
  { name: 'lint', commands: [['node_modules/.bin/biome', 'check', '.']], limitMs: 2 * MINUTE },
  {
    name: 'types',
    commands: ['tsconfig.json', 'tsconfig.pure.json', 'src/web/tsconfig.json', 'test/browser/client/tsconfig.json']
      .filter((project) => existsSync(join(root, project)))
      .map((project) => ['node_modules/.bin/tsc', '-p', project]),
    limitMs: 3 * MINUTE,
  },
  { name: 'build', commands: [['node', 'scripts/build.mjs']], limitMs: 8 * MINUTE },
  {
    name: 'native',
    cargo: [
      ['fmt', '--check'],
      ['clippy', '--profile', 'check-release', '--locked', '--all-targets', '--', '-D', 'warnings'],
      ['test', '--profile', 'check-release', '--locked', '--no-fail-fast'],
    ],
    limitMs: 9 * MINUTE,
  },
  {
    // Wall time says nothing on a busy machine; instructions do.
    name: 'instructions',
    commands: [['node', 'scripts/bench.mjs', 'instructions']],
    needs: ['cargo', 'valgrind'],
    limitMs: 6 * MINUTE,
  },
  { name: 'architecture', under: ['test/architecture'], limitMs: 2 * MINUTE },
  { name: 'unit', under: ['src', 'bench', 'test/support'], limitMs: 6 * MINUTE },
  { name: 'contract', under: ['test/contract'], limitMs: 4 * MINUTE },
  { name: 'conformance', under: ['test/conformance'], limitMs: 4 * MINUTE },
  { name: 'scenario', under: ['test/scenario'], limitMs: 4 * MINUTE },
  { name: 'fuzz', under: ['test/fuzz'], limitMs: 4 * MINUTE },
  {
    name: 'interop',
    under: ['test/interop'],
    needs: ['sipp', 'baresip', 'kamailio', 'ip'],
    serial: true,
    limitMs: 8 * MINUTE,
  },
  {
    name: 'browser',
    under: ['test/browser'],
    needs: ['chromium', 'firefox-esr', 'pulseaudio', 'ip'],
    serial: true,
    limitMs: 10 * MINUTE,
  },
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !GROUPS.some((group) => group.name === name))
if (unknown.length > 0) {
  console.error(`no test group ${unknown.join(', ')}; there are: ${GROUPS.map((group) => group.name).join(', ')}`)
  process.exit(2)
}
const groups = GROUPS.filter((group) => wanted.length === 0 || wanted.includes(group.name))
const unavailable = provide([...new Set(groups.flatMap((group) => group.needs ?? []))])
const results = []
for (const group of groups) results.push(await runGroup(group))
process.exit(report(results))

async function runGroup(group) {
  const startedAt = performance.now()
  const result = { name: group.name, passed: 0, failed: 0, skipped: 0, note: '' }
  console.log(`\n── ${group.name} ${'─'.repeat(Math.max(0, 60 - group.name.length))}`)
  const missing = missingPrograms(group.needs ?? [], unavailable)
  if (missing.length > 0) skipGroup(result, group, missing)
  else if (group.cargo !== undefined) await runCargo(group, result)
  else if (group.commands !== undefined) await runCommands(group, result)
  else await runTests(group, result)
  result.seconds = (performance.now() - startedAt) / 1000
  return result
}

function skipGroup(result, group, missing) {
  result.note = `SKIPPED: ${missing.join(', ')} missing`
  if (inCi) result.failed = 1
  else result.skipped = testFiles(group).length
  console.log(`!!! ${group.name} ${result.note}${inCi ? ' (a failure where CI=true)' : ''}`)
}

async function runCommands(group, result) {
  for (const [program, ...args] of group.commands) {
    const code = await run(program === 'node' ? process.execPath : join(root, program), args, {
      limitMs: group.limitMs,
    })
    console.log(`${code === 0 ? 'ok' : 'FAILED'}  ${[program, ...args].join(' ')}`)
    result[code === 0 ? 'passed' : 'failed'] += 1
  }
}

/** The media engine's own checks and tests; every Rust test counts. */
async function runCargo(group, result) {
  const missing = cargoMissing()
  if (missing !== undefined) {
    result.note = `SKIPPED: ${missing}`
    result[inCi ? 'failed' : 'skipped'] = 1
    console.log(`!!! native ${result.note}${inCi ? ' (a failure where CI=true)' : ''}`)
    return
  }
  for (const args of group.cargo) {
    const printed = []
    const options = { limitMs: group.limitMs, cwd: join(root, 'native'), onLine: (line) => printed.push(line) }
    const code = await run('cargo', args, options)
    const counts = printed.flatMap(
      (line) => /^test result: .* (\d+) passed; (\d+) failed; (\d+) ignored/.exec(line) ?? [],
    )
    for (let at = 0; at < counts.length; at += 4) {
      result.passed += Number(counts[at + 1])
      result.failed += Number(counts[at + 2])
    }
    if (code !== 0) {
      result.failed ||= 1
      console.log(printed.filter((line) => !/^test .* ok$/.test(line)).join('\n'))
    }
    if (counts.length === 0 && code === 0) result.passed += 1
    for (const line of printed.filter((line) => /skipped/i.test(line))) console.log(`!!! ${line}`)
    console.log(`${code === 0 ? 'ok' : 'FAILED'}  cargo ${args.join(' ')}`)
  }
}

async function runTests(group, result) {
  const files = testFiles(group)
  if (files.length === 0) {
    result.note = 'no tests yet'
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-test-'))
  const counts = join(folder, 'counts.json')
  const args = [
    '--import',
    'tsx',
    '--test',
    `--test-concurrency=${group.serial ? 1 : 2}`,
    `--test-reporter=${new URL('./reporter.mjs', import.meta.url).href}`,
    '--test-reporter-destination=stdout',
    ...files,
  ]
  const env = { ...process.env, TRUNKLINE_TEST_COUNTS: counts }
  const code = await run(process.execPath, args, { env, limitMs: group.limitMs })
  const seen = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 0, skipped: 0 }
  rmSync(folder, { recursive: true })
  const { excluded = 0, ...counted } = seen
  Object.assign(result, counted)
  if (excluded > 0) result.note = `${excluded} excluded by design`
  if (code !== 0 && result.failed === 0) {
    result.failed = 1
    result.note = code === undefined ? 'ran out of time' : `the test runner ended with ${code}`
  }
  if (inCi && result.skipped > 0) {
    result.note = `${result.skipped} skipped, which is a failure where CI=true`
    result.failed += result.skipped
    result.skipped = 0
  }
}

function testFiles(group) {
  return group.under
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true })
        .filter((path) => /\.test\.tsx?$/.test(path))
        .map((path) => join(folder, path)),
    )
    .sort()
}

/** @returns The exit code, `undefined` if time ran out. */
function run(program, args, { env = process.env, limitMs, cwd = root, onLine }) {
  return new Promise((done) => {
    const stdout = onLine === undefined ? 'inherit' : 'pipe'
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', stdout, 'inherit'], detached: true })
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', onLine)
    const kill = (signal) => {
      try {
        process.kill(-child.pid, signal)
      } catch {
        // The whole group is gone already.
      }
    }
    const passOn = () => kill('SIGTERM')
    process.once('SIGINT', passOn)
    process.once('SIGTERM', passOn)
    let late = false
    const timer = setTimeout(() => {
      late = true
      kill('SIGKILL')
    }, limitMs)
    child.on('error', (error) => {
      console.error(error.message)
      done(1)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      process.off('SIGINT', passOn)
      process.off('SIGTERM', passOn)
      done(late ? undefined : (code ?? 1))
    })
  })
}

function report(all) {
  console.log('\ngroup          passed  failed  skipped     time')
  for (const { name, passed, failed, skipped, seconds, note } of all) {
    const cells = [String(passed).padStart(8), String(failed).padStart(8), String(skipped).padStart(9)]
    console.log(`${name.padEnd(13)}${cells.join('')}${`${seconds.toFixed(1)} s`.padStart(9)}  ${note}`)
  }
  const sum = (key) => all.reduce((total, result) => total + result[key], 0)
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')]
  console.log(`\nℹ tests ${passed + failed + skipped}\nℹ pass ${passed}\nℹ fail ${failed}\nℹ skipped ${skipped}\n`)
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed === 0 ? 0 : 1
}
