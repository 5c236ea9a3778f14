import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Secret } from '../../src/base/index.ts'
import { CoreRig, exampleTenant, header } from '../support/core-rig.ts'
import { corpus, corpusFile } from '../support/corpora.ts'
import exceptions from './sip-torture-gateway.exceptions.json' with { type: 'json' }

interface Expected {
  readonly file: string
  readonly name: string
  readonly section: string
  readonly rfc: number
  readonly title: string
  readonly kind: 'request' | 'response'
  readonly reaction: string
  readonly also_acceptable: readonly string[]
  readonly never?: readonly string[]
  readonly facts: Readonly<Record<string, unknown>>
}

interface Exception {
  readonly does: string
  readonly why: string
}

const DIFFERENT: Readonly<Record<string, Exception>> = exceptions.reaction
const unused = new Set(Object.keys(DIFFERENT))

/** Hosts of the corpus that are ours in these tests, so that a message is refused for what is wrong with it. */
const [DOMAIN, ...ALIASES] = [
  'example.com',
  'example.net',
  'example.org',
  'company.com',
  'chair-dnrc.example.com',
  '[2001:db8::10]',
  '2001:db8::10',
  '2001:db8::192.0.2.1',
]

/** User parts of the INVITEs. A carrier may call them. */
const NUMBERS = ['vivekg', 'user', 'joe', 'UserB', 'sips:user@example.com', 'sips%3Auser%40example.com']

const CARRIER = '203.0.113.5'
const PHONE = '198.51.100.8'
const OPTIONS_ANSWERED = 'SIP/2.0 200'

const folder = corpus('sip-torture')
const expected = corpusFile<{ rfc4475: readonly Expected[]; rfc5118: readonly Expected[] }>(
  'sip-torture',
  'expected.json',
)

if (folder !== undefined && expected !== undefined) {
  describe('what the gateway does with a carrier that sends', () => {
    for (const entry of [...expected.rfc4475, ...expected.rfc5118]) {
      test(`RFC ${entry.rfc} §${entry.section}: ${entry.title} (${entry.name})`, async () => {
        const data = readFileSync(join(folder, entry.file), 'latin1')
        checkReaction(entry, await react(data, entry))
      })
    }
  })

  after(() => assert.deepEqual([...unused], [], 'exceptions that are no longer needed'))
}

/** A gateway whose user has registered a phone, and whose carrier may call it by many names. */
async function gateway(): Promise<CoreRig> {
  const tenant = exampleTenant({
    domain: DOMAIN ?? '',
    aliases: ALIASES,
    users: [{ name: 'callee', password: new Secret('of the callee') }],
    numbers: NUMBERS.map((number) => ({ number, to: { kind: 'user', name: 'callee' } })),
  })
  const rig = new CoreRig({ tenants: [tenant] })
  const phone = rig.peer(PHONE)
  const identity = { From: `<sip:callee@${DOMAIN}>;tag=1`, To: `<sip:callee@${DOMAIN}>`, Expires: '600' }
  await phone.authenticated('REGISTER', `sip:${DOMAIN}`, { user: 'callee', password: 'of the callee' }, identity)
  phone.take('SIP/2.0 200')
  return rig
}

/** "accept" if it rang or was granted, the status if it was refused, else "discard". */
async function react(data: string, { facts }: Expected): Promise<string> {
  const rig = await gateway()
  const carrier = rig.peer(CARRIER)
  const before = rig.outputs.length
  await carrier.send(data)
  const sent = rig.outputs.slice(before).flatMap((output) => (output.kind === 'send' ? [output.data] : []))
  assert.deepEqual(
    rig.logged().filter(({ level }) => level === 'error'),
    [],
  )
  await carrier.send(carrier.request('OPTIONS', `sip:${DOMAIN}`))
  carrier.take(OPTIONS_ANSWERED)
  if (sent.some((message) => message.startsWith('INVITE '))) return 'accept'
  const refusal = sent.find((message) => /^SIP\/2\.0 [2-6]/.test(message))
  if (refusal?.startsWith('SIP/2.0 420') === true)
    assert.equal(header(refusal, 'Unsupported'), [facts.unsupported_uas].flat().join(', '))
  const status = /^SIP\/2\.0 (\d{3})/.exec(refusal ?? '')?.[1]
  return status?.startsWith('2') === true ? 'accept' : (status ?? 'discard')
}

function checkReaction({ name, kind, reaction, also_acceptable, never = [] }: Expected, does: string): void {
  // A response that no request of ours asked for is dropped, however well it is formed (RFC 3261 §18.1.2).
  if (kind === 'response') return assert.equal(does, 'discard')
  const exception = DIFFERENT[name]
  if (exception !== undefined) {
    unused.delete(name)
    return assert.equal(does, exception.does, exception.why)
  }
  assert.ok(!never.includes(does), `never ${does}`)
  assert.ok([reaction, ...also_acceptable].includes(does), `${does} instead of ${reaction}`)
}
