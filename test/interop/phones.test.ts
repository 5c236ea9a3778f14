import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { CallDetail, CallView } from '../../src/api/index.ts'
import { type Baresip, type BaresipOptions, startBaresip } from './support/baresip.ts'
import { eventually } from './support/eventually.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { openListener } from './support/listener.ts'
import { freePhonePort } from './support/ports.ts'
import { tonesHeard } from './support/tone.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const ALICE_HZ = 620
const BOB_HZ = 880
const DESK_HZ = 1004
const TONES = [ALICE_HZ, BOB_HZ, DESK_HZ]
/** Seconds of audio in which a tone is looked for. */
const ENOUGH = 1.2
/** Windows of 100 ms that make a tone heard. */
const HEARD = 8
/** One second of frames. */
const SECOND = 50
const BOB = 'sip:bob@example.test'

type PhoneOptions = Pick<BaresipOptions, 'user'> & Partial<BaresipOptions>

describe('what people do with their phones', { skip }, () => {
  let gateway: GatewayProcess
  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
  })
  after(() => gateway?.stop())

  const withPhones = (wanted: readonly PhoneOptions[], run: (...phones: Baresip[]) => Promise<void>): Promise<void> =>
    usePhones(gateway, wanted, run)

  test('bob puts a call on hold: silence; he takes it back: his voice', () =>
    withPhones([{ user: 'bob' }], async (bob) => {
      const caller = await openListener(gateway, 'alice', BOB)
      await caller.hears(BOB_HZ)
      await bob.command('hold')
      await noted(gateway, 'Put on hold by the peer')
      const held = await caller.framesWhileSending(SECOND)
      assert.ok(held < SECOND / 5, `${held} frames came while on hold`)
      await bob.command('resume')
      await noted(gateway, 'Resumed by the peer')
      await caller.hears(BOB_HZ)
      await caller.hangUp()
      await bob.ended(1)
    }))

  test('digits go both ways, and whoever looks at the call sees them', () =>
    withPhones([{ user: 'alice' }, { user: 'bob' }], async (alice, bob) => {
      await connect(alice, bob)
      await bob.hasHeard(0.2)
      await alice.command('sndcode', '5')
      assert.equal((await bob.event('CALL_DTMF_START')).param, '5')
      await bob.command('sndcode', '#')
      assert.equal((await alice.event('CALL_DTMF_START')).param, '#')
      await Promise.all([alice.event('CALL_DTMF_END'), bob.event('CALL_DTMF_END')])
      await eventually(async () => {
        const { timeline } = await newestCall(gateway)
        const digits = timeline.flatMap((entry) =>
          entry.kind === 'media' && entry.event === 'dtmf' ? [`${entry.leg} ${entry.facts.digit}`] : [],
        )
        assert.deepEqual(digits, ['a 5', 'b1 #'])
      })
      await alice.command('hangup')
      await Promise.all([alice.ended(1), bob.ended(1)])
    }))

  test('bob declines', () =>
    withPhones([{ user: 'alice' }, { user: 'bob', answer: 'manual' }], async (alice, bob) => {
      await alice.command('dial', BOB)
      await bob.event('CALL_INCOMING')
      await bob.command('hangup')
      assert.match((await alice.event('CALL_CLOSED')).param ?? '', /^486/)
      await bob.ended(1)
    }))

  test('alice gives up while it rings: the ringing stops', () =>
    withPhones([{ user: 'alice' }, { user: 'bob', answer: 'manual' }], async (alice, bob) => {
      await alice.command('dial', BOB)
      await Promise.all([bob.event('CALL_INCOMING'), alice.event('CALL_RINGING')])
      await alice.command('hangup')
      await Promise.all([alice.ended(1), bob.ended(1)])
    }))

  test('nobody answers in time: 480, and the ringing stops', () =>
    withPhones(
      [
        { user: 'alice', domain: 'short.test' },
        { user: 'bob', domain: 'short.test', answer: 'manual' },
      ],
      async (alice, bob) => {
        await alice.command('dial', 'sip:bob@short.test')
        await bob.event('CALL_INCOMING')
        assert.match((await alice.event('CALL_CLOSED')).param ?? '', /^480/)
        await bob.ended(1)
      },
    ))

  test('both phones of bob ring; he takes the one over TCP, the other one falls silent', () =>
    withPhones(
      [
        { user: 'alice' },
        { user: 'bob', answer: 'manual' },
        { user: 'bob', answer: 'manual', transport: 'tcp', toneHz: DESK_HZ },
      ],
      async (alice, mobile, desk) => {
        await alice.command('dial', BOB)
        await Promise.all([mobile.event('CALL_INCOMING'), desk.event('CALL_INCOMING'), alice.event('CALL_RINGING')])
        await desk.command('accept')
        await mobile.ended(1)
        await alice.event('CALL_ESTABLISHED')
        await alice.hasHeard(ENOUGH)
        await desk.command('hangup')
        await Promise.all([alice.ended(1), desk.ended(1)])
        await assertHeard(alice, DESK_HZ)
      },
    ))

  test('bob logs off: he is unavailable at once', () =>
    withPhones([{ user: 'alice' }], async (alice) => {
      await withPhones([{ user: 'bob' }], async () => undefined)
      await alice.command('dial', BOB)
      assert.match((await alice.event('CALL_CLOSED')).param ?? '', /^480/)
    }))

  test('a phone over TCP loses its power in a call: it is unavailable, not our service', () =>
    withPhones([{ user: 'alice' }, { user: 'bob' }, { user: 'carol', transport: 'tcp' }], async (alice, bob, carol) => {
      await alice.command('dial', 'sip:carol@example.test')
      await Promise.all([alice.event('CALL_ESTABLISHED'), carol.event('CALL_ESTABLISHED')])
      carol.kill()
      await alice.command('hangup')
      await alice.ended(1)
      await eventually(() => noCallIsLeft(gateway))
      await bob.command('dial', 'sip:carol@example.test')
      assert.match((await bob.event('CALL_CLOSED')).param ?? '', /^480/)
    }))

  test('a phone that lost its power is back at another port, and is called there', async () => {
    const ports = [await freePhonePort(), await freePhonePort()]
    await usePhones(gateway, [{ user: 'dave', sipPort: ports[0] ?? 0 }], async (dave) => dave.kill())
    await withPhones([{ user: 'alice' }, { user: 'dave', sipPort: ports[1] ?? 0 }], async (alice, dave) => {
      await alice.command('dial', 'sip:dave@example.test')
      await Promise.all([alice.event('CALL_ESTABLISHED'), dave.event('CALL_ESTABLISHED')])
      await alice.command('hangup')
      await Promise.all([alice.ended(1), dave.ended(1)])
    })
  })

  for (const [mine, theirs, agreed] of [
    ['PCMA', 'PCMU,PCMA', 'PCMA/8000'],
    ['G722/16000/1', 'G722/16000/1,PCMU', 'G722/8000'],
    ['opus/48000/2', 'PCMU,opus/48000/2', 'opus/48000'],
  ] as const) {
    test(`a phone with ${mine} and one with ${theirs} talk ${agreed}`, () =>
      withPhones(
        [
          { user: 'alice', codecs: mine },
          { user: 'bob', codecs: theirs },
        ],
        async (alice, bob) => {
          await assertTheyHear(alice, bob)
          const { legs } = await newestCall(gateway)
          assert.deepEqual(
            legs.map(({ codec }) => codec),
            [agreed, agreed],
          )
        },
      ))
  }

  test('phones without a codec in common are told 488', () =>
    withPhones(
      [
        { user: 'alice', codecs: 'opus/48000/2' },
        { user: 'bob', codecs: 'PCMU' },
      ],
      async (alice) => {
        await alice.command('dial', BOB)
        assert.match((await alice.event('CALL_CLOSED')).param ?? '', /^488/)
      },
    ))

  for (const encryption of ['srtp', 'srtp-mand']) {
    test(`a phone with mediaenc=${encryption} calls one without`, () =>
      withPhones([{ user: 'alice', account: [`mediaenc=${encryption}`] }, { user: 'bob' }], assertTheyHear))
  }
})

test('phones over IPv6 hear each other', { skip }, async () => {
  const gateway = await startGateway({ tenants: TENANTS, address: '::1' })
  try {
    await usePhones(
      gateway,
      [
        { user: 'alice', address: '::1' },
        { user: 'bob', address: '::1', transport: 'tcp' },
      ],
      assertTheyHear,
    )
  } finally {
    await gateway.stop()
  }
})

const TENANTS = `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
      - { name: carol, password: carol-secret }
      - { name: dave, password: dave-secret }
  - domain: short.test
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
    limits: { ringSeconds: 1 }
`

async function usePhones(
  gateway: GatewayProcess,
  wanted: readonly PhoneOptions[],
  run: (...phones: Baresip[]) => Promise<void>,
): Promise<void> {
  const started = await Promise.all(
    wanted.map((options) =>
      startBaresip({
        domain: 'example.test',
        password: `${options.user}-secret`,
        registrar: gateway.sip,
        toneHz: options.user === 'alice' ? ALICE_HZ : BOB_HZ,
        answer: 'auto',
        ...options,
      }),
    ),
  )
  try {
    await Promise.all(started.map((phone) => phone.registered()))
    await run(...started)
  } finally {
    await Promise.all(started.map((phone) => phone.stop()))
  }
}

async function connect(alice: Baresip, bob: Baresip): Promise<void> {
  await alice.command('dial', BOB)
  await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')])
}

async function assertTheyHear(alice?: Baresip, bob?: Baresip): Promise<void> {
  assert.ok(alice && bob)
  await connect(alice, bob)
  await Promise.all([alice.hasHeard(ENOUGH), bob.hasHeard(ENOUGH)])
  await alice.command('hangup')
  await Promise.all([alice.ended(1), bob.ended(1)])
  await assertHeard(alice, BOB_HZ)
  await assertHeard(bob, ALICE_HZ)
}

async function assertHeard(phone: Baresip, hz: number): Promise<void> {
  const [pcm] = await phone.heard()
  const windows = (pcm && tonesHeard(pcm, TONES).get(hz)) ?? 0
  assert.ok(windows >= HEARD, `heard ${hz} Hz in ${windows} windows of 100 ms\n${phone.log().slice(-2_000)}`)
}

async function newestCall(gateway: GatewayProcess): Promise<CallDetail> {
  const [call] = (await gateway.api<{ calls: CallView[] }>('/v1/calls?limit=1')).calls
  assert.ok(call, 'a call')
  return gateway.api<CallDetail>(`/v1/calls/${call.id}`)
}

function noted(gateway: GatewayProcess, what: string): Promise<void> {
  return eventually(async () => {
    const { timeline } = await newestCall(gateway)
    assert.ok(
      timeline.some(({ summary }) => summary === what),
      what,
    )
  })
}

async function noCallIsLeft(gateway: GatewayProcess): Promise<void> {
  const { calls } = await gateway.api<{ calls: CallView[] }>('/v1/calls?state=active')
  assert.deepEqual(calls, [])
}
