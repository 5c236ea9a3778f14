import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { GatewayError, seededIds } from '../../src/base/index.ts'
import {
  createSipEndpoint,
  createStreamFramer,
  type Flow,
  parseMessage,
  parseUri,
  type SipMessage,
  type SipOutput,
  writeMessage,
} from '../../src/sip/index.ts'
import { corpus, corpusFile } from '../support/corpora.ts'
import exceptions from './sip-torture.exceptions.json' with { type: 'json' }

interface Expected {
  readonly file: string
  readonly name: string
  readonly section: string
  readonly rfc: number
  readonly title: string
  readonly kind: 'request' | 'response'
  readonly verdict: 'valid' | 'invalid'
  readonly reaction: string
  readonly also_acceptable: readonly string[]
  readonly never?: readonly string[]
  readonly facts: Readonly<Record<string, unknown>>
}

interface Exception {
  readonly does: string
  readonly why: string
}

const unused = new Set([exceptions.reaction, exceptions.parse, exceptions.facts].flatMap((group) => Object.keys(group)))

function exceptionOf(group: Readonly<Record<string, Exception>>, name: string): Exception | undefined {
  const found = group[name]
  if (found !== undefined) unused.delete(name)
  return found
}

const folder = corpus('sip-torture')
const expected = corpusFile<{ rfc4475: readonly Expected[]; rfc5118: readonly Expected[] }>(
  'sip-torture',
  'expected.json',
)

if (folder !== undefined && expected !== undefined) {
  for (const entry of [...expected.rfc4475, ...expected.rfc5118]) {
    const data = readFileSync(join(folder, entry.file), 'latin1')
    describe(`RFC ${entry.rfc} §${entry.section}: ${entry.title} (${entry.name})`, () => {
      test(`the parser finds it ${entry.verdict}`, () => checkVerdict(entry, data))
      test('its facts', () => checkFacts(entry, data))
      test('in a stream it is the same however it is cut', () => checkFraming(data))
      test('the endpoint reacts as it should, and goes on', () => checkReaction(entry, data))
    })
  }

  test('test.dat, which is in the archive and in no section, breaks nothing', () => {
    const outcome = react(readFileSync(join(folder, 'rfc4475/test.dat'), 'latin1'))
    assert.ok(outcome !== '', outcome)
  })

  test('baddn.dat with the empty line that its archive forgot', () => {
    const data = `${readFileSync(join(folder, 'rfc4475/baddn.dat'), 'latin1')}\r\n`
    assert.match(react(data), /^(400|accept)$/)
  })

  after(() => assert.deepEqual([...unused], [], 'exceptions that are no longer needed'))
}

/** Everything a user may read is read. */
function parseWhole(data: string): SipMessage {
  const message = parseMessage(data)
  const { headers } = message
  void [headers.from, headers.to, headers.topVia, headers.contacts, headers.route, headers.recordRoute]
  void [headers.contentType, headers.expires, headers.maxForwards]
  return message
}

function checkVerdict(entry: Expected, data: string): void {
  if (entry.verdict === 'invalid') {
    const exception = exceptionOf(exceptions.parse, entry.name)
    if (exception !== undefined) assert.doesNotThrow(() => parseWhole(data))
    else assert.throws(() => parseWhole(data), GatewayError)
    return
  }
  const message = parseWhole(data)
  const written = writeMessage(message)
  const again = parseWhole(written)
  assert.equal(writeMessage(again), written)
  const withoutLength = (one: SipMessage) => one.headers.fields().filter(({ name }) => name !== 'Content-Length')
  assert.deepEqual(withoutLength(again), withoutLength(message))
  assert.equal(again.body, message.body)
}

/** How a fact of `expected.json` is read from a message. */
const FACTS: Readonly<Record<string, (message: SipMessage) => unknown>> = {
  request_uri: (m) => m.kind === 'request' && m.uri,
  method: (m) => m.kind === 'request' && m.method,
  status: (m) => m.kind === 'response' && m.status,
  reason: (m) => m.kind === 'response' && m.reason,
  reason_utf8: (m) =>
    m.kind === 'response' && Buffer.from(m.reason, 'latin1').toString('utf8').length < m.reason.length,
  request_user_decoded: (m) => requestUri(m).user,
  request_host: (m) => requestUri(m).host,
  request_port: (m) => requestUri(m).port ?? null,
  cseq: (m) => m.headers.cseq.sequence,
  max_forwards: (m) => m.headers.maxForwards,
  via_count: (m) => m.headers.values('Via').length,
  via_transports: (m) => m.headers.values('Via').map((value) => /\/\s*(\w+)\s+\S/.exec(value)?.[1]),
  via_host: (m) => m.headers.topVia.host,
  via_branch: (m) => m.headers.topVia.params.get('branch'),
  top_via_branch: (m) => m.headers.topVia.params.get('branch'),
  received: (m) => m.headers.topVia.params.get('received')?.replace(/[[\]]/g, ''),
  subject: (m) => m.headers.get('Subject'),
  content_length: (m) => Number(m.headers.get('Content-Length')),
  content_type: (m) => m.headers.contentType,
  messages_in_datagram: (m) => (m.body === '' ? 1 : 2),
  route_count: (m) => m.headers.route.length,
  to_tag: (m) => m.headers.toTag,
  from_tag: (m) => m.headers.fromTag,
  from_display: (m) => m.headers.from.displayName,
  from_display_unescaped: (m) => m.headers.from.displayName,
  display_name: (m) => [m.headers.to, m.headers.from].map((address) => address.displayName).find(Boolean),
  from_uri: (m) => m.headers.from.uri,
  to_user_decoded: (m) => parseUri(m.headers.to.uri).user,
  to_user_decoded_hex: (m) => Buffer.from(parseUri(m.headers.to.uri).user ?? '', 'latin1').toString('hex'),
  from_user_decoded: (m) => parseUri(m.headers.from.uri).user,
  contact_count: (m) => m.headers.contacts.length,
  contact_q: (m) => Number(contact(m).params.get('q')),
  contact_uri: (m) => contact(m).uri,
  contact_params: (m) => [...contact(m).params.keys()],
  contact_user_decoded: (m) => parseUri(contact(m).uri).user,
  contact_params_decoded: (m) =>
    Object.fromEntries(
      [...parseUri(contact(m).uri).params].map(([name, value]) => [name, value === '' ? null : value]),
    ),
  contact_uri_headers: (m) => Object.fromEntries(new URLSearchParams(parseUri(contact(m).uri).headers)),
  uri_params: (m) => [...parseUri(contact(m).uri).params.keys()],
  unsupported_uas: (m) => m.headers.values('Require'),
  unsupported_proxy: (m) => m.headers.values('Proxy-Require'),
}

function requestUri(message: SipMessage) {
  assert.ok(message.kind === 'request')
  return parseUri(message.uri)
}

function contact(message: SipMessage) {
  const { contacts } = message.headers
  const [first] = contacts === '*' ? [] : contacts
  assert.ok(first !== undefined)
  return first
}

function checkFacts({ facts }: Expected, data: string): void {
  for (const [name, value] of Object.entries(facts)) {
    if (name in exceptions.facts) {
      unused.delete(name)
      continue
    }
    const read = FACTS[name]
    assert.ok(read !== undefined, `nothing reads the fact ${name}`)
    assert.deepEqual(read(parseMessage(data)), value, name)
  }
}

function checkFraming(data: string): void {
  const whole = frame([data])
  assert.deepEqual(frame([...data]), whole)
  for (let cut = 1; cut < data.length; cut++) assert.deepEqual(frame([data.slice(0, cut), data.slice(cut)]), whole)
  let end = 0
  for (const message of whole.messages) {
    assert.equal(data.slice(end, data.indexOf(message, end)).trim(), '', 'bytes between messages were lost')
    end = data.indexOf(message, end) + message.length
  }
  assert.ok(whole.messages.length > 0 || whole.broken !== undefined || whole.buffered > 0)
}

function frame(chunks: readonly string[]) {
  const framer = createStreamFramer()
  const messages: string[] = []
  let broken: string | undefined
  for (const chunk of chunks) {
    const framed = framer.push(chunk)
    messages.push(...framed.messages)
    broken ??= framed.broken && `${framed.broken.code}: ${framed.broken.detail}`
  }
  return { messages, broken, buffered: framer.buffered }
}

const FLOW: Flow = {
  id: 'udp',
  transport: 'udp',
  local: { host: '192.0.2.250', port: 5060 },
  remote: { host: '192.0.2.251', port: 5060 },
}

const OPTIONS = [
  'OPTIONS sip:gateway.test SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.251;branch=z9hG4bKafterwards',
  'From: <sip:a@b>;tag=1',
  'To: <sip:gateway.test>',
  'Call-ID: afterwards',
  'CSeq: 1 OPTIONS',
  '\r\n',
].join('\r\n')

/** "accept" if the message reaches the user, the status if it is answered, else "discard". */
function react(data: string): string {
  const endpoint = createSipEndpoint({ sentBy: { udp: FLOW.local }, product: 'test' }, { ids: seededIds(1) })
  endpoint.handle({ kind: 'received', flow: FLOW, data }, 0)
  const outputs = drain(endpoint)
  endpoint.handle({ kind: 'received', flow: FLOW, data: OPTIONS }, 0)
  assert.ok(
    drain(endpoint).some((output) => output.kind === 'request' && output.request.headers.callId === 'afterwards'),
    'the next message was not served',
  )
  if (outputs.some(({ kind }) => kind === 'request' || kind === 'ack')) return 'accept'
  const sent = outputs.find((output) => output.kind === 'send')
  if (sent?.kind !== 'send' || sent.message.kind !== 'response') return 'discard'
  return String(sent.message.status)
}

function drain(endpoint: ReturnType<typeof createSipEndpoint>): SipOutput[] {
  const outputs: SipOutput[] = []
  for (let output = endpoint.poll(); output !== undefined; output = endpoint.poll()) outputs.push(output)
  return outputs
}

function checkReaction(entry: Expected, data: string): void {
  const outcome = react(data)
  // A response that no request of ours asked for is dropped, however well it is formed (RFC 3261 §18.1.2).
  if (entry.kind === 'response') return assert.equal(outcome, 'discard')
  const exception = exceptionOf(exceptions.reaction, entry.name)
  if (exception !== undefined) return assert.equal(outcome, exception.does, exception.why)
  assert.ok(!(entry.never ?? []).includes(outcome), `never ${outcome}`)
  assert.ok([entry.reaction, ...entry.also_acceptable].includes(outcome), `${outcome} instead of ${entry.reaction}`)
}
