import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type CallerCall,
  localAddressToward,
  type MediaPeer,
  openPlainPeer,
  openWebRtcPeer,
  openWebSocket,
  openWire,
  paceFrames,
  ToneMeter,
  toneFrames,
  UserAgent,
} from '../../src/caller/index.ts'
import { randomIds } from '../../src/random.ts'
import { bounded, type Child, startChild } from './support/child.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOMAIN = 'example.test'
const ALICE = ['--domain', DOMAIN, '--user', 'alice', '--password', 'alice-secret']
const SHORT = ['--seconds', '1']

type Way = 'SIP over UDP' | 'SIP over TCP' | 'WebRTC'

interface Ended {
  readonly status: number | null
  readonly output: string
}

/** `trunkline call …` as a person runs it. */
function startCall(args: readonly string[], password = ''): Child {
  const argv = ['--import', 'tsx', join(ROOT, 'src/main.ts'), 'call', ...args]
  return startChild(process.execPath, argv, { cwd: ROOT, env: { TRUNKLINE_PASSWORD: password } })
}

async function trunklineCall(...args: string[]): Promise<Ended> {
  const child = startCall(args)
  const status = await child.exited()
  return { status, output: child.output() }
}

describe('trunkline call', () => {
  let gateway: GatewayProcess

  before(async () => {
    gateway = await startGateway({
      tenants: `
  - domain: ${DOMAIN}
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
`,
    })
  })
  after(() => gateway?.stop())

  const to = (user: string, way: Way): string[] => {
    if (way === 'WebRTC') return [gateway.webSocket, '--to', user]
    return [`sip:${user}@${gateway.sip}${way === 'SIP over TCP' ? ';transport=tcp' : ''}`]
  }

  for (const way of ['SIP over UDP', 'SIP over TCP', 'WebRTC'] as const) {
    test(`${way}: the echo at *43 brings the tone back, with all figures`, async () => {
      const { status, output } = await trunklineCall(...to('*43', way), ...ALICE, '--tone', '700', ...SHORT)
      assert.equal(status, 0, output)
      const figures = read(output)
      assert.ok(figures.answeredMs > 0 && figures.firstAudioMs >= figures.answeredMs, output)
      assert.ok(figures.sent >= 45 && figures.received >= figures.sent - 5, output)
      assert.equal(figures.lost, 0, output)
      assert.match(output, /^tone +700 Hz came back/m)
      assert.match(output, /^media +PCMU\/8000, encryption /m)
      assert.match(output, way === 'WebRTC' ? /DTLS-SRTP \S+/ : /encryption none/)
    })
  }

  for (const way of ['SIP over UDP', 'WebRTC'] as const) {
    test(`${way}: *41 sends a tone of its own, ours does not come back`, async () => {
      const { status, output } = await trunklineCall(...to('*41', way), ...ALICE, ...SHORT)
      assert.equal(status, 0, output)
      assert.match(output, /^tone +620 Hz did not come back \(in 0 of [1-9]/m)
    })
  }

  test('--tone 1004 is what *41 sends', async () => {
    const { output } = await trunklineCall(`sip:*41@${gateway.sip}`, ...ALICE, '--tone', '1004', ...SHORT)
    assert.match(output, /^tone +1004 Hz came back/m)
  })

  test('--json writes the same figures', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-call-'))
    const file = join(folder, 'call.json')
    const { status, output } = await trunklineCall(`sip:*43@${gateway.sip}`, ...ALICE, ...SHORT, '--json', file)
    assert.equal(status, 0, output)
    const figures = JSON.parse(await readFile(file, 'utf8'))
    await rm(folder, { recursive: true })
    assert.equal(figures.uri, `sip:*43@${DOMAIN}`)
    assert.equal(figures.media.codec, 'PCMU/8000')
    assert.equal(figures.tone.cameBack, true)
    assert.equal(figures.stream.received, read(output).received)
  })

  test('a name is resolved, for UDP too', async () => {
    const target = `sip:*43@localhost:${gateway.sipPort}`
    const { status, output } = await trunklineCall(target, ...ALICE, ...SHORT)
    assert.equal(status, 0, output)
  })

  test('the password may come from the environment, and --register takes its binding back', async () => {
    const account = ['--domain', DOMAIN, '--user', 'alice', '--register']
    const child = startCall([`sip:*43@${gateway.sip}`, ...account, ...SHORT], 'alice-secret')
    assert.equal(await child.exited(), 0, child.output())
    assert.deepEqual((await gateway.api<{ registrations: unknown[] }>('/v1/registrations')).registrations, [])
  })

  test('Ctrl-C hangs up and still prints what was measured', async () => {
    const child = startCall([`sip:*43@${gateway.sip}`, ...ALICE, '--seconds', '60'])
    await child.sees(/media connected/)
    child.process.kill('SIGINT')
    await child.exited()
    assert.match(child.output(), /^set-up +180 /m)
    assert.deepEqual((await gateway.api<{ calls: unknown[] }>('/v1/calls?state=active')).calls, [])
  })

  describe('says who refused and why, with status 1', () => {
    const failures: [string, () => string[], RegExp][] = [
      [
        'a wrong password',
        () => [`sip:*43@${gateway.sip}`, '--domain', DOMAIN, '--user', 'alice', '--password', 'wrong'],
        /udp 127\.0\.0\.1:\d+ did not take the password of alice: 40[137] /,
      ],
      [
        'no password',
        () => [`sip:*43@${gateway.sip}`, '--domain', DOMAIN, '--user', 'alice'],
        /wants a password for alice \(40[17] .*\), and none was given/,
      ],
      [
        'nobody registered',
        () => [`sip:bob@${gateway.sip}`, ...ALICE],
        /refused the call: 480 Temporarily Unavailable/,
      ],
      ['nobody of that name', () => [gateway.webSocket, '--to', 'nobody', ...ALICE], /refused the call: 404 Not Found/],
      ['an unknown host', () => ['sip:*43@no-such-host.invalid'], /there is no host "no-such-host\.invalid"/],
      [
        'a path without SIP',
        () => [`${gateway.http.replace('http', 'ws')}/nothing`, '--to', '*43'],
        /cannot reach ws:/,
      ],
    ]
    for (const [name, args, expected] of failures) {
      test(name, async () => {
        const { status, output } = await trunklineCall(...args(), ...SHORT)
        assert.match(output, expected)
        assert.equal(status, 1, output)
        assert.doesNotMatch(output, /^\s+at .*:\d+:\d+/m)
      })
    }

    test('a port where nothing listens, on each transport', async () => {
      const [udp, tcp] = [await freePort(), await freePort()]
      const targets = [
        [`sip:*43@127.0.0.1:${udp}`],
        [`sip:*43@127.0.0.1:${tcp};transport=tcp`],
        [`ws://127.0.0.1:${tcp}/sip`, '--to', '*43'],
      ]
      for (const target of targets) {
        const { status, output } = await trunklineCall(...target)
        assert.match(output, /cannot reach (udp|tcp|ws:).*: nothing listens there/)
        assert.equal(status, 1, output)
      }
    })
  })

  describe('a wrong command line ends with 2 and says what is wrong', () => {
    const mistakes: [string[], RegExp][] = [
      [[], /say what to call/],
      [['http://127.0.0.1'], /must begin with sip:, sips:, ws: or wss:/],
      [['sip:*43@127.0.0.1;transport=sctp'], /there is no transport "sctp"/],
      [['sip:*43@127.0.0.1', '--seconds', 'long'], /--seconds must be a number from 1 to 3600, not "long"/],
      [['sip:*43@127.0.0.1', '--loud'], /--loud/],
    ]
    for (const [args, expected] of mistakes) {
      test(args.join(' ') || 'no arguments', async () => {
        const { status, output } = await trunklineCall(...args)
        assert.match(output, expected)
        assert.match(output, /Try: trunkline call --help/)
        assert.equal(status, 2)
      })
    }

    test('--help ends with 0', async () => {
      const { status, output } = await trunklineCall('--help')
      assert.match(output, /Usage: trunkline call sip:/)
      assert.equal(status, 0)
    })
  })

  for (const direction of ['WebRTC to SIP', 'SIP to WebRTC'] as const) {
    test(`${direction}: two callers hear each other's tone`, async () => {
      const [web, phone] = await Promise.all([webEnd(gateway), phoneEnd(gateway)])
      const [caller, callee] = direction === 'WebRTC to SIP' ? [web, phone] : [phone, web]
      try {
        await callee.agent.register()
        const arrives = new Promise<CallerCall>((resolve) => {
          callee.agent.onIncoming = resolve
        })
        const call = caller.agent.call(`sip:${callee.user}@${DOMAIN}`, caller.peer.offer())
        const arrived = await Promise.race([arrives, call.answered.then(() => arrives)])
        arrived.accept(callee.peer.answer(arrived.offer))
        caller.peer.accept(await call.answered)
        await hearEachOther(caller.peer, callee.peer)
        await call.hangUp()
        assert.equal(await arrived.ended, 'the other side hung up')
      } finally {
        for (const { agent, peer } of [web, phone]) {
          await agent.unregister()
          agent.close()
          peer.close()
        }
      }
    })
  }
})

interface Figures {
  readonly answeredMs: number
  readonly firstAudioMs: number
  readonly sent: number
  readonly received: number
  readonly lost: number
}

function read(output: string): Figures {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN)
  return {
    answeredMs: number(/^set-up .*200 ([\d.]+) ms/m),
    firstAudioMs: number(/^set-up .*first audio ([\d.]+) ms/m),
    sent: number(/^audio .*sent (\d+)/m),
    received: number(/^audio .*received (\d+)/m),
    lost: number(/^audio .*lost (\d+)/m),
  }
}

interface End {
  readonly user: string
  readonly agent: UserAgent
  readonly peer: MediaPeer
}

async function webEnd(gateway: GatewayProcess): Promise<End> {
  const agent = agentOf('alice', await openWebSocket(gateway.webSocket))
  return { user: 'alice', agent, peer: await openWebRtcPeer(await localAddressToward('127.0.0.1')) }
}

async function phoneEnd(gateway: GatewayProcess): Promise<End> {
  const agent = agentOf('bob', await openWire('udp', { host: '127.0.0.1', port: gateway.sipPort }))
  return { user: 'bob', agent, peer: await openPlainPeer('127.0.0.1') }
}

function agentOf(user: string, wire: Awaited<ReturnType<typeof openWire>>): UserAgent {
  return new UserAgent({ wire, user, domain: DOMAIN, password: `${user}-secret`, ids: randomIds, product: 'test' })
}

/** Both send a tone until each has heard half a second of the other's. */
async function hearEachOther(first: MediaPeer, second: MediaPeer): Promise<void> {
  await Promise.all([first.connected, second.connected])
  const [high, low] = [toneFrames(900), toneFrames(500)]
  const stop = [paceFrames(() => first.send(high())), paceFrames(() => second.send(low()))]
  await Promise.all([hears(first, 500), hears(second, 900)]).finally(() => {
    for (const each of stop) each()
  })
}

function hears(peer: MediaPeer, hz: number): Promise<void> {
  const meter = new ToneMeter(hz)
  return bounded<void>(
    `${hz} Hz`,
    5_000,
    () => `${JSON.stringify(meter.report())}; ${peer.state()}`,
    (resolve) => {
      peer.onPacket = (packet) => {
        meter.onPacket(packet)
        if (meter.report().heard >= 5) resolve()
      }
      return undefined
    },
  )
}
