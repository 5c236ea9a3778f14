import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { corpus, corpusFile } from '../support/corpora.ts'
import { figures, growth } from './support/figures.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { type RawPeer, tcpPeer, udpPeer, webSocketPeer } from './support/raw-peer.ts'
import { ask, credentials, DOMAIN, isFinal, type Login, sipRequest, statusOf, token } from './support/sip-text.ts'
import { goodCall, nothingIsLeft, openWitness, plainOffer, TENANTS, type Witness } from './support/witness.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false
const REGISTRAR = `sip:${DOMAIN}`
const ECHO = `sip:*43@${DOMAIN}`
const OPTIONS = { method: 'OPTIONS', uri: REGISTRAR } as const

interface Expected {
  readonly file: string
  readonly name: string
  readonly kind: string
  readonly verdict: string
  readonly reaction: string
  readonly also_acceptable: readonly string[]
}

describe('requests that are wrong', { skip }, () => {
  let gateway: GatewayProcess
  let witness: Witness
  let browser: Witness
  const peers: RawPeer[] = []

  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
    witness = await openWitness(gateway, 'phone')
    browser = await openWitness(gateway, 'browser', 'bob')
  })
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close()
  })
  after(async () => {
    await Promise.all([witness?.hangUp(), browser?.hangUp()])
    await gateway?.stop()
  })

  const keep = <T extends RawPeer>(peer: T): T => {
    peers.push(peer)
    return peer
  }
  const udp = async (...from: Parameters<typeof udpPeer>): Promise<RawPeer> => keep(await udpPeer(...from))

  const nothingElseChanged = async (): Promise<void> => {
    await Promise.all([witness.isUnharmed(), browser.isUnharmed()])
    await goodCall(gateway, 'phone')
    await nothingIsLeft(gateway, 2)
  }
  /** Each kind of wire, one after the other. */
  const overEach = async (run: (peer: RawPeer) => Promise<void>): Promise<void> => {
    for (const open of [udpPeer(gateway.sip), tcpPeer(gateway.sip), webSocketPeer(gateway.webSocket)]) {
      await run(keep(await open))
    }
    await nothingElseChanged()
  }
  const counted = async (name: string, least: number, act: () => Promise<void>): Promise<void> => {
    const before = await figures(gateway)
    await act()
    const grown = growth(before, await figures(gateway), name)
    assert.ok(grown >= least, `${name} grew by ${grown}, not ${least}`)
  }

  describe('the invalid messages of RFC 4475 and RFC 5118', () => {
    const expected = Object.values(
      corpusFile<Record<string, readonly Expected[] | string>>('sip-torture', 'expected.json') ?? {},
    )
    const folder = corpus('sip-torture') ?? ''
    for (const message of expected.flat()) {
      if (typeof message === 'string' || message.verdict !== 'invalid') continue
      const allowed = [message.reaction, ...message.also_acceptable]
      test(`${message.name}: ${allowed.join(' or ')}`, async () => {
        const peer = await udp(gateway.sip)
        peer.send(toUs(readFileSync(join(folder, message.file), 'latin1'), peer))
        const probe = token()
        await ask(peer, { ...OPTIONS, callId: probe })
        const [first] = peer.received.filter((text) => !isFinal(probe)(text))
        const isAccepted = allowed.includes('accept') && (first === undefined || statusOf(first) !== 500)
        const reaction = first === undefined ? 'discard' : String(statusOf(first))
        assert.ok(isAccepted || allowed.includes(reaction), `${reaction}\n${first}`)
      })
    }

    test('changed nothing else', () => nothingElseChanged())
  })

  test('a message of 65,535 bytes and more is answered 513', async () => {
    const peer = await udp(gateway.sip)
    const callId = token()
    peer.send(sipRequest(peer, { ...OPTIONS, callId, headers: [`X-Long: ${'x'.repeat(40_000)}`] }))
    assert.equal(statusOf(await peer.answer('513', isFinal(callId))), 513)
    await nothingElseChanged()
  })

  test('REGISTER and INVITE without credentials are challenged', () =>
    overEach(async (peer) => {
      const registering = await ask(peer, { method: 'REGISTER', uri: REGISTRAR, to: `sip:alice@${DOMAIN}` })
      assert.equal(statusOf(registering), 401)
      assert.match(registering, /^WWW-Authenticate: Digest realm="example\.test"/m)
      const inviting = await ask(peer, { method: 'INVITE', uri: ECHO, sdp: plainOffer(9) })
      assert.equal(statusOf(inviting), 407)
      assert.match(inviting, /^Proxy-Authenticate: Digest realm="example\.test"/m)
    }))

  for (const [what, login] of [
    ['a wrong password', { user: 'alice', password: 'guess' }],
    ['an unknown user', { user: 'nobody', password: '' }],
    ['a name that tries to be a path', { user: '../alice', password: 'alice-secret' }],
    ['a wrong realm', { user: 'alice', password: 'alice-secret', realm: 'elsewhere.test' }],
  ] as const) {
    test(`${what} is challenged again and counted`, () =>
      counted('trunkline_auth_failures_total{kind="sip"}', 'realm' in login ? 0 : 6, () =>
        overEach(async (peer) => {
          assert.equal(statusOf(await registerAs(peer, login)), 401)
          assert.equal(statusOf(await inviteAs(peer, login)), 407)
        }),
      ))
  }

  test("the right password does not let one register or call in another's name", () =>
    overEach(async (peer) => {
      const mallory = { user: 'mallory', password: 'mallory-secret' }
      assert.equal(statusOf(await registerAs(peer, mallory, 'alice')), 403)
      assert.equal(statusOf(await inviteAs(peer, mallory, 'alice')), 403)
    }))

  test('credentials seen on the wire are worth nothing to another: not again, not for another number', async () => {
    const peer = await udp(gateway.sip)
    const login = { user: 'mallory', password: 'mallory-secret' }
    const unregister = { method: 'REGISTER', uri: REGISTRAR, to: `sip:mallory@${DOMAIN}` }
    const line = credentials(await ask(peer, unregister), unregister, login)
    assert.equal(statusOf(await ask(peer, { ...unregister, headers: [line, 'Expires: 0'] })), 200)
    const again = await ask(peer, { ...unregister, headers: [line, 'Expires: 0'] })
    assert.equal(statusOf(again), 401)
    assert.match(again, /stale=true/i)
    const invite = { method: 'INVITE', uri: ECHO, sdp: plainOffer(9) }
    const forEcho = credentials(await ask(peer, invite), invite, login)
    const elsewhere = await ask(peer, { ...invite, uri: `sip:+15551230000@${DOMAIN}`, headers: [forEcho] })
    assert.equal(statusOf(elsewhere), 407)
    await nothingElseChanged()
  })

  test('credentials that are no credentials are answered, never believed', () =>
    overEach(async (peer) => {
      const lines = [
        'Digest',
        'Digest ,,,',
        'Basic YWxpY2U6YWxpY2Utc2VjcmV0',
        `Digest username="${'x'.repeat(9_000)}`,
        'x',
      ]
      for (const line of lines) {
        const request = {
          method: 'REGISTER',
          uri: REGISTRAR,
          to: `sip:alice@${DOMAIN}`,
          headers: [`Authorization: ${line}`],
        }
        const status = statusOf(await ask(peer, request))
        assert.ok([400, 401, 513].includes(status), `${line.slice(0, 40)}: ${status}`)
      }
    }))

  test("who is no trunk does not reach a number with a trunk's words", async () => {
    const peer = await udp(gateway.sip, '127.0.0.8')
    for (const from of ['+15559999', 'carrier', 'anonymous']) {
      const status = statusOf(
        await ask(peer, { method: 'INVITE', uri: `sip:+15550100@${DOMAIN}`, from, sdp: plainOffer(9) }),
      )
      assert.ok([403, 407].includes(status), `${from}: ${status}`)
    }
    await nothingElseChanged()
  })

  for (const method of ['BYE', 'INVITE', 'UPDATE', 'INFO']) {
    test(`a forged ${method} inside a call of others is answered 481, or 407 with the tags of a browser's`, () =>
      overEach(async (peer) => {
        for (const { dialog } of [witness, browser]) {
          const { uri, callId, fromTag, toTag } = dialog
          const forgeries = [
            { fromTag, toTag: token(), expected: 481 },
            { fromTag: token(), toTag, expected: 481 },
            { fromTag: toTag, toTag: fromTag, expected: 481 },
            // The right tags, but not over the connection of the browser: it may be that browser on a new one, and has to prove it.
            ...(dialog === browser.dialog ? [{ fromTag, toTag, expected: 407 }] : []),
          ]
          for (const { expected, ...tags } of forgeries) {
            const sdp = method === 'INVITE' || method === 'UPDATE' ? { sdp: plainOffer(9) } : {}
            const answer = await ask(peer, { method, uri, callId, ...tags, ...sdp, sequence: 4_000 })
            assert.equal(statusOf(answer), expected, answer)
          }
        }
      }))
  }

  test('a forged CANCEL is answered 481', () =>
    overEach(async (peer) => {
      for (const { dialog } of [witness, browser]) {
        const { uri, callId, fromTag } = dialog
        assert.equal(statusOf(await ask(peer, { method: 'CANCEL', uri, callId, fromTag })), 481)
      }
    }))

  test('forged responses are dropped and counted', () =>
    counted('trunkline_sip_rejected_total{code="SIP_STRAY_RESPONSE"}', 60, () =>
      overEach(async (peer) => {
        const { callId, fromTag, toTag } = browser.dialog
        for (const status of [100, 180, 200, 401, 487, 603, 699]) {
          for (const method of ['INVITE', 'BYE', 'OPTIONS']) {
            const request = sipRequest(peer, { method, uri: ECHO, callId, fromTag, toTag })
            peer.send(request.replace(/^.*\r\n/, `SIP/2.0 ${status} Forged\r\n`))
          }
        }
        assert.equal(statusOf(await ask(peer, OPTIONS)), 200)
      }),
    ))

  test('the two calls that were up end as calls do', async () => {
    await Promise.all([witness.hangUp(), browser.hangUp()])
    await nothingIsLeft(gateway)
  })

  async function registerAs(peer: RawPeer, login: Login, name: string = login.user): Promise<string> {
    const to = `sip:${encodeURIComponent(name)}@${DOMAIN}`
    const request = { method: 'REGISTER', uri: REGISTRAR, to, callId: token() }
    const line = credentials(await ask(peer, request), request, login)
    return ask(peer, { ...request, callId: token(), sequence: 2, headers: [line] })
  }

  async function inviteAs(peer: RawPeer, login: Login, from = encodeURIComponent(login.user)): Promise<string> {
    const request = { method: 'INVITE', uri: ECHO, from, sdp: plainOffer(9) }
    const line = credentials(await ask(peer, request), request, login)
    return ask(peer, { ...request, sequence: 2, headers: [line] })
  }
})

/** Asks for the answer to come back to us instead of to the port in the Via (RFC 3581), where there is a Via to ask in. */
function toUs(message: string, { sentBy }: RawPeer): string {
  const [host = ''] = sentBy.split(':')
  return message.replace(/^(Via|v)( *: *SIP *\/ *2\.0 *\/ *\w+ +[^;,\r\n]+)/im, `$1$2;rport;x-from=${host}`)
}
