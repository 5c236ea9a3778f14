import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { phoneSdp } from '../support/sdp-texts.ts'
import { type Baresip, startBaresip } from './support/baresip.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { type RawPeer, udpPeer } from './support/raw-peer.ts'
import { ask, credentials, isFinal, sipRequest, statusOf, token } from './support/sip-text.ts'
import { tonesHeard } from './support/tone.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const TONES_HZ = { alice: 620, bob: 880, carol: 1004 } as const
/** Seconds of audio in which a tone is looked for. */
const ENOUGH = 2.5
/** Windows of 100 ms that make a tone heard. */
const HEARD = 8

type User = keyof typeof TONES_HZ

describe('transfers of real phones', { skip }, () => {
  let gateway: GatewayProcess
  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
  })
  after(() => gateway?.stop())

  test('baresip transfers blindly: the one it talked with and the target hear each other', async () => {
    await usePhones(gateway, ['alice', 'bob', 'carol'], async ([alice, bob, carol]) => {
      await alice.command('dial', 'sip:bob@example.test')
      await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')])
      await alice.command('transfer', 'sip:carol@example.test')
      await Promise.all([carol.event('CALL_ESTABLISHED'), alice.ended(1)])
      await carol.hasHeard(ENOUGH)
      await carol.command('hangup')
      await Promise.all([bob.ended(1), carol.ended(1)])
      await assertHeard(carol, 'bob')
      await assertHeard(bob, 'carol')
    })
  })

  test('an attended transfer of two calls: the two others hear each other, and one BYE ends it', async () => {
    const alice = await udpPeer(gateway.sip)
    try {
      await usePhones(gateway, ['bob', 'carol'], async ([bob, carol]) => {
        const first = await call(alice, 'bob')
        const second = await call(alice, 'carol')
        await Promise.all([bob.event('CALL_ESTABLISHED'), carol.event('CALL_ESTABLISHED')])
        await join(alice, first, second)
        await Promise.all([bob.hasHeard(ENOUGH), carol.hasHeard(ENOUGH)])
        await bob.command('hangup')
        await Promise.all([bob.ended(1), carol.ended(1)])
        await assertHeard(bob, 'carol')
        await assertHeard(carol, 'bob')
      })
    } finally {
      alice.close()
    }
  })
})

const TENANTS = `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
      - { name: carol, password: carol-secret }
`

/** A dialog that alice began. */
interface Dialog {
  readonly callId: string
  readonly fromTag: string
  readonly toTag: string
  readonly contact: string
}

async function call(alice: RawPeer, user: User): Promise<Dialog> {
  const [callId, fromTag] = [token(), token()]
  const sdp = phoneSdp({ address: '127.0.0.1', port: 9 })
  const uri = `sip:${user}@example.test`
  const invite = { method: 'INVITE', uri, from: 'alice', callId, fromTag, sdp }
  const challenge = await ask(alice, invite)
  const proof = credentials(challenge, invite, { user: 'alice', password: 'alice-secret' })
  const answer = await ask(alice, { ...invite, sequence: 2, headers: [proof] })
  assert.equal(statusOf(answer), 200, answer)
  const toTag = /^To:.*;tag=([^;\s]+)/im.exec(answer)?.[1] ?? ''
  const contact = /^Contact: *<([^>]+)>/im.exec(answer)?.[1] ?? ''
  const sequence = Number(/^CSeq: *(\d+)/im.exec(answer)?.[1])
  alice.send(
    sipRequest(alice, { method: 'ACK', uri: contact, to: uri, from: 'alice', callId, fromTag, toTag, sequence }),
  )
  return { callId, fromTag, toTag, contact }
}

/** REFER in the first dialog to the other end of the second one; answers what the gateway then asks. */
async function join(alice: RawPeer, first: Dialog, second: Dialog): Promise<void> {
  const replaces = `${second.callId};to-tag=${second.toTag};from-tag=${second.fromTag}`
  const referTo = `Refer-To: <sip:carol@example.test?Replaces=${encodeURIComponent(replaces)}>`
  const { callId, fromTag, toTag, contact } = first
  const refer = { method: 'REFER', uri: contact, to: 'sip:bob@example.test', from: 'alice', callId, fromTag, toTag }
  alice.send(sipRequest(alice, { ...refer, sequence: 10, headers: [referTo] }))
  const accepted = await alice.answer('an answer to REFER', isFinal(callId, 'REFER'))
  assert.equal(statusOf(accepted), 202, accepted)
  for (const wanted of [/SIP\/2\.0 100 /, /SIP\/2\.0 200 /]) {
    agree(
      alice,
      await alice.answer(`NOTIFY ${wanted.source}`, (message) => /^NOTIFY /.test(message) && wanted.test(message)),
    )
  }
  for (const { callId: id } of [first, second]) {
    agree(alice, await alice.answer('BYE', (message) => /^BYE /.test(message) && message.includes(id)))
  }
}

function agree(alice: RawPeer, request: string): void {
  const lines = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
  alice.send(['SIP/2.0 200 OK', ...lines, 'Content-Length: 0', '', ''].join('\r\n'))
}

async function usePhones(
  gateway: GatewayProcess,
  users: readonly User[],
  run: (phones: [Baresip, Baresip, Baresip]) => Promise<void>,
): Promise<void> {
  const started = await Promise.all(
    users.map((user) =>
      startBaresip({
        user,
        domain: 'example.test',
        password: `${user}-secret`,
        registrar: gateway.sip,
        toneHz: TONES_HZ[user],
        answer: 'auto',
      }),
    ),
  )
  try {
    await Promise.all(started.map((phone) => phone.registered()))
    await run(started as [Baresip, Baresip, Baresip])
  } finally {
    await Promise.all(started.map((phone) => phone.stop()))
  }
}

async function assertHeard(phone: Baresip, who: User): Promise<void> {
  const [pcm] = await phone.heard()
  const windows = (pcm && tonesHeard(pcm, Object.values(TONES_HZ)).get(TONES_HZ[who])) ?? 0
  assert.ok(windows >= HEARD, `heard ${who} in ${windows} windows of 100 ms\n${phone.log().slice(-2_000)}`)
}
