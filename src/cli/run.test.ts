import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GatewayError } from '../base/index.ts'
import { checkCommand } from './check.ts'
import { runCli } from './run.ts'
import { startCommand } from './start.ts'
import { version } from './version.ts'

const start = startCommand({
  start: () => Promise.reject(new GatewayError('LISTEN_FAILED', 'UDP 127.0.0.1:5060 is taken')),
  sipPath: '/sip',
  newToken: () => 'token',
})
const check = checkCommand({ engineOf: (config) => `${config.media.engine}, for the test` })
const commands = { start, check, version }
let folder = ''

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-cli-'))
  writeFileSync(join(folder, 'good.yaml'), 'tenants: [{ domain: a.test, users: [{ name: a, password: file:pw }] }]\n')
  writeFileSync(join(folder, 'pw'), 'secret\n')
  writeFileSync(join(folder, 'bad.yaml'), 'lisen: {}\ntenants: [{ domain: 5 }]\n')
})
after(() => rmSync(folder, { recursive: true }))

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    env: {},
    isTty: false,
  }
  return { code: await runCli(argv, commands, terminal), out, err }
}

const cases: readonly (readonly [argv: readonly string[], code: number, expected: RegExp])[] = [
  [[], 2, /Usage: trunkline COMMAND/],
  [['--help'], 0, /Usage: trunkline COMMAND[\s\S]*start[\s\S]*check/],
  [['help', 'check'], 0, /Usage: trunkline check FILE/],
  [['start', '--help'], 0, /--config FILE/],
  [['check', '-h'], 0, /Usage: trunkline check FILE/],
  [['version'], 0, /^trunkline \d+\.\d+\.\d+/],
  [['--version'], 0, /^trunkline/],
  [['chekc'], 2, /unknown command chekc, did you mean check\?/],
  [['check'], 2, /name the file/],
  [['check', 'a', 'b'], 2, /unexpected argument: b/],
  [['start', '--cofnig', 'x'], 2, /unknown option --cofnig, did you mean --config\?/],
  [['start', '--config'], 2, /argument missing/],
  [['start', '--host', 'nowhere'], 2, /--host needs an IP address/],
  [['start', '--host', '127.0.0.1', '--config', 'x'], 2, /without a file/],
  [['start', '--log-level', 'loud'], 2, /debug, info, warn or error/],
  [['start', '--config', '/nonexistent.yaml'], 1, /CONFIG_UNREADABLE/],
  [['start'], 1, /UDP 127\.0\.0\.1:5060 is taken \(LISTEN_FAILED\)[\s\S]*ss -lntup/],
]

describe('the command line', () => {
  for (const [argv, code, expected] of cases) {
    test(`trunkline ${argv.join(' ')}`, async () => {
      const result = await run(...argv)
      assert.match(result.out + result.err, expected)
      assert.equal(result.code, code)
    })
  }
})

describe('trunkline check', () => {
  test('says what a good file holds; file: is relative to it', async () => {
    const { code, out } = await run('check', join(folder, 'good.yaml'))
    assert.equal(code, 0)
    assert.match(out, /is fine: tenants 1, users 1, trunks 0/)
    assert.match(out, /media engine: auto, for the test/)
  })

  test('lists every mistake of a bad one in a form that editors jump to', async () => {
    const { code, err } = await run('check', join(folder, 'bad.yaml'))
    assert.equal(code, 1)
    assert.match(err, /^2 mistakes in /)
    assert.match(err, /bad\.yaml:1:8 lisen: found an unknown key/)
    assert.match(err, /bad\.yaml:2:21 tenants\[0\]\.domain: found 5/)
  })
})
