import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoreRig, type RigPeer } from '../../test/support/core-rig.ts'
import { ALICE, BOB, CAROL, watchedTenant } from '../../test/support/watcher.ts'

const MONTH_MS = 31 * 86_400_000

/** What a hostile peer may write behind the name of a header, or as a body. */
const HOSTILE = [
  '',
  ' ',
  ';',
  'x;id=',
  '"',
  '<',
  '<sip:@>;tag',
  '-1',
  '99999999999999999999',
  '*',
  '\u00ff\u0000',
  'a/b;c',
]
const HEADERS = [
  'Event',
  'Expires',
  'Accept',
  'Contact',
  'Content-Type',
  'SIP-If-Match',
  'Date',
  'Record-Route',
  'Subject',
]
const BODIES = [
  '',
  '<',
  '<presence>',
  '<presence/>',
  '<presence><a b="&#xD800;"/></presence>',
  '<presence>&x;</presence>',
  'text',
]

const hostile = fc.record({
  method: fc.constantFrom('MESSAGE', 'SUBSCRIBE', 'PUBLISH'),
  event: fc.constantFrom('dialog', 'presence', 'reg', 'message-summary'),
  to: fc.constantFrom('alice', 'bob', '%00', '*43', '+15551234'),
  header: fc.constantFrom(...HEADERS),
  text: fc.constantFrom(...HOSTILE),
  body: fc.constantFrom(...BODIES),
})

const TYPES: Readonly<Record<string, string>> = {
  MESSAGE: 'text/plain',
  PUBLISH: 'application/pidf+xml',
  SUBSCRIBE: 'a/b',
}

/** Every phone says yes, no, or nothing to whatever it was sent. */
async function answerAll(peers: readonly RigPeer[], status: string): Promise<void> {
  for (const peer of peers) {
    for (const message of peer.inbox.splice(0)) {
      if (status !== '' && !message.startsWith('SIP/2.0')) await peer.send(peer.response(message, status))
    }
  }
}

async function assertNothingStays(rig: CoreRig): Promise<void> {
  await rig.advance(MONTH_MS)
  assert.deepEqual(
    rig.logged().filter(({ level }) => level === 'error'),
    [],
  )
  assert.deepEqual(rig.core.kept(), { subscriptions: 0, publications: 0, messages: 0 })
  const { calls, registrations, transactions } = rig.core.counts()
  assert.deepEqual({ calls, registrations, transactions }, { calls: 0, registrations: 0, transactions: 0 })
  assert.equal(rig.core.deadline(), undefined)
}

test('law: whatever users write into MESSAGE, SUBSCRIBE and PUBLISH, it is no fault of ours and nothing stays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostile, { maxLength: 8 }), async (requests) => {
      const rig = new CoreRig({ tenants: [watchedTenant()] })
      const alice = rig.peer('198.51.100.6')
      for (const { method, event, to, header, text, body } of requests) {
        const headers = { Event: event, 'Content-Type': TYPES[method] ?? '', [header]: text }
        await alice
          .authenticated(method, `sip:${to}@example.test`, ALICE, headers, body)
          .catch((error: Error) => assert.match(error.message, /^no SIP\/2\.0 40[17] among/)) // Refused before that.
        await answerAll([alice], '200 OK')
      }
      await assertNothingStays(rig)
    }),
    { numRuns: 150 },
  )
})

const USERS = [ALICE, BOB, CAROL] as const
const PIDF = '<presence><tuple id="1"><status><basic>open</basic></status></tuple></presence>'

const operation = fc.record({
  what: fc.constantFrom('register', 'unregister', 'write', 'watch', 'ask', 'publish', 'call', 'answer', 'wait', 'lose'),
  who: fc.nat(2),
  whom: fc.nat(2),
  event: fc.constantFrom('dialog', 'presence'),
  status: fc.constantFrom('200 OK', '180 Ringing', '481 Gone', '486 Busy Here', '503 Unavailable', ''),
  waitMs: fc.constantFrom(1, 11_000, 40_000, 700_000),
})
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

async function carryOut(
  rig: CoreRig,
  peers: readonly RigPeer[],
  { what, who, whom, ...how }: Operation,
): Promise<void> {
  const [user, peer] = [USERS[who] ?? ALICE, peers[who]]
  if (peer === undefined) return
  const to = `sip:${(USERS[whom] ?? BOB).user}@example.test`
  const as = (method: string, uri: string, headers: Record<string, string>, body = '') => {
    return peer.authenticated(method, uri, user, headers, body)
  }
  switch (what) {
    case 'register':
      return as('REGISTER', 'sip:example.test', { Expires: '600' })
    case 'unregister':
      return as('REGISTER', 'sip:example.test', { Expires: '0' })
    case 'write':
      return as('MESSAGE', to, { 'Content-Type': 'text/plain' }, 'hello')
    case 'watch':
      return as('SUBSCRIBE', to, { Event: how.event, Expires: '900' })
    case 'ask':
      return as('SUBSCRIBE', to, { Event: how.event, Expires: '0' })
    case 'publish':
      return as(
        'PUBLISH',
        `sip:${user.user}@example.test`,
        { Event: 'presence', 'Content-Type': 'application/pidf+xml' },
        PIDF,
      )
    case 'call':
      return peer.call(user.user, user.password, (USERS[whom] ?? BOB).user)
    case 'answer':
      return answerAll(peers, how.status)
    case 'wait':
      return rig.advance(how.waitMs)
    case 'lose':
      return rig.input({ kind: 'flow-closed', flowId: peer.flow.id })
  }
}

test('law: whatever users do and phones answer, every subscription, publication and message comes to its end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
      const rig = new CoreRig({ tenants: [watchedTenant()] })
      const peers = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7'), rig.peer('198.51.100.9', 'ws', 40_000)]
      for (const each of operations) await carryOut(rig, peers, each)
      await assertNothingStays(rig)
    }),
    { numRuns: 150 },
  )
})
