import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { GatewayError, seededIds } from '../../src/base/index.ts'
import {
  createSipEndpoint,
  createStreamFramer,
  type Flow,
  parseAuthorization,
  parseChallenges,
  parseMessage,
  parseNameAddr,
  parseUri,
  replyTo,
  type SipEndpoint,
  writeMessage,
  writeUri,
} from '../../src/sip/index.ts'
import { salvageRequest } from '../../src/sip/message/salvage.ts'
import { corpus } from '../support/corpora.ts'
import { type Random, seededRandom } from '../support/random.ts'
import type { FuzzTarget } from './guided/guided.ts'

/** What a run of the fuzzer did and found. */
export interface FuzzResult {
  readonly inputs: number
  readonly slowestMs: number
  readonly findings: readonly Finding[]
}

export interface Finding {
  readonly what: string
  /** The input, as a JSON string. */
  readonly input: string
}

const BUDGET_MS = 50
/** For runs under measurement on a busy machine; what is really slow takes seconds. */
const GUIDED_BUDGET_MS = 2_000
const MAX_FINDINGS = 10
const MAX_TRANSACTIONS = 200

/** Messages, URIs and damaged ones of other projects; a few of our own where there is no corpus. */
export function seeds(): readonly string[] {
  const folders = [
    ['fuzz-seeds', 'sip'],
    ['fuzz-seeds', 'uri'],
    ['sip-torture', 'rfc4475'],
    ['sip-torture', 'rfc5118/wire'],
  ] as const
  const found = folders.flatMap(([topic, folder]) => {
    const root = corpus(topic)
    if (root === undefined) return []
    return readdirSync(join(root, folder)).map((file) => readFileSync(join(root, folder, file), 'latin1'))
  })
  return [...found, ...OWN_SEEDS]
}

const OWN_SEEDS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'REGISTER'].map((method) =>
  [
    `${method} sip:bob@example.test;transport=udp SIP/2.0`,
    'Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKfuzz;rport',
    'From: "Alice" <sip:alice@example.test>;tag=a',
    'To: <sip:bob@example.test>',
    'Call-ID: fuzz',
    `CSeq: 1 ${method}`,
    'Contact: <sip:alice@192.0.2.9>;expires=60',
    'Record-Route: <sip:p1;lr>, <sip:p2;lr>',
    'Authorization: Digest username="a", realm="r", nonce="n", uri="sip:x", response="0", nc=00000001, cnonce="c", qop=auth',
    'l: 4\r\n\r\nbody',
  ].join('\r\n'),
)

/** Every reader of the SIP stack, for the guided search. */
export function sipTarget(): FuzzTarget {
  const subject = new Subject(seededRandom(1), GUIDED_BUDGET_MS)
  return {
    seeds: seeds(),
    change: mutated,
    take(input) {
      subject.feed(input)
      const [found] = subject.findings.splice(0)
      if (found !== undefined) throw new Error(found.what)
    },
  }
}

/** Mutates seeds for some time and feeds them to every reader of the SIP stack. */
export function fuzzSip({ seconds, seed }: { readonly seconds: number; readonly seed: number }): FuzzResult {
  const random = seededRandom(seed)
  const material = seeds()
  const subject = new Subject(random)
  const endsAt = performance.now() + seconds * 1_000
  let inputs = 0
  for (const input of material) subject.feed(input)
  while (performance.now() < endsAt && subject.findings.length < MAX_FINDINGS) {
    for (let i = 0; i < 50; i++) subject.feed(mutated(random, material))
    inputs += 50
  }
  return { inputs: inputs + material.length, slowestMs: subject.slowestMs, findings: subject.findings }
}

/** Everything that reads bytes of a peer. The endpoint and the streams live on from one input to the next. */
class Subject {
  readonly findings: Finding[] = []
  slowestMs = 0
  readonly #random: Random
  readonly #budgetMs: number
  readonly #endpoint: SipEndpoint
  #framer = createStreamFramer()
  #now = 0

  constructor(random: Random, budgetMs = BUDGET_MS) {
    this.#random = random
    this.#budgetMs = budgetMs
    this.#endpoint = createSipEndpoint(
      { sentBy: { udp: LOCAL, ws: LOCAL }, product: 'fuzz', maxTransactions: MAX_TRANSACTIONS },
      { ids: seededIds(1) },
    )
  }

  feed(input: string): void {
    const tookMs = timeOf(() => {
      this.#read(input)
      this.#check('framer', input, () => this.#frame(input))
      this.#check('endpoint', input, () => this.#receive(input))
    })
    this.slowestMs = Math.max(this.slowestMs, tookMs)
    // Measured again: other work on the machine, or a collection of garbage, may have stopped us once.
    if (tookMs > this.#budgetMs && timeOf(() => this.#read(input)) > this.#budgetMs / 2) {
      this.#report(`took ${tookMs.toFixed()} ms`, input)
    }
  }

  #read(input: string): void {
    this.#check('parser', input, () => readAll(input))
    this.#check('uri', input, () => void writeUri(parseUri(input)))
    this.#check('name-addr', input, () => void parseNameAddr(input))
    this.#check('credentials', input, () => void parseAuthorization(input))
    this.#check('salvage', input, () => void salvageRequest(input))
  }

  #check(what: string, input: string, read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'INTERNAL')
        this.#report(`${what}: ${String(error)}`, input)
      if (what === 'endpoint' || what === 'framer') this.#report(`${what} threw: ${String(error)}`, input)
    }
  }

  #report(what: string, input: string): void {
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ what, input: JSON.stringify(input) })
  }

  #frame(input: string): void {
    const { broken } = this.#framer.push(input)
    if (broken !== undefined) this.#framer = createStreamFramer()
  }

  #receive(input: string): void {
    this.#now += this.#random.between(0, 300)
    const flow = this.#random.pick(FLOWS)
    this.#endpoint.handle({ kind: 'received', flow, data: input }, this.#now)
    this.#drain(input)
    this.#endpoint.handle({ kind: 'wake' }, this.#now)
    this.#drain(input)
    const { serverTransactions } = this.#endpoint.counters()
    if (serverTransactions > MAX_TRANSACTIONS * 1.2) this.#report(`${serverTransactions} transactions`, input)
  }

  /** Plays the user, and gives our own messages to a reader: what we say must be sound whatever we were told. */
  #drain(input: string): void {
    for (let output = this.#endpoint.poll(); output !== undefined; output = this.#endpoint.poll()) {
      if (output.kind === 'rejected' && output.code === 'INTERNAL') this.#report(`endpoint: ${output.detail}`, input)
      if (output.kind !== 'request') continue
      const status = this.#random.pick([100, 180, 200, 404, 486])
      const response = replyTo(output.request, status, { toTag: 'fuzz' })
      this.#check('reply', input, () => void parseMessage(writeMessage(response)))
      this.#endpoint.handle({ kind: 'respond', key: output.key, response }, this.#now)
    }
  }
}

/** A message that is accepted is read whole, and reads the same when it was written. */
function readAll(input: string): void {
  const message = parseMessage(input)
  const written = writeMessage(message)
  const again = writeMessage(parseMessage(written))
  if (again !== written) throw new Error('what was written does not read the same')
  const { headers } = message
  void [headers.from, headers.to, headers.topVia, headers.maxForwards]
  if (message.kind === 'response') parseChallenges(message)
  const names = new Set(headers.fields().map(({ name }) => name))
  for (const name of [...names].slice(0, 20)) headers.values(name)
  void [headers.contacts, headers.route, headers.recordRoute, headers.contentType, headers.expires]
}

const LOCAL = { host: '192.0.2.1', port: 5060 }
const FLOWS: readonly [Flow, ...Flow[]] = [
  { id: 'udp', transport: 'udp', local: LOCAL, remote: { host: '192.0.2.9', port: 5060 } },
  { id: 'ws', transport: 'ws', local: LOCAL, remote: { host: '192.0.2.9', port: 40_000 } },
]

function timeOf(work: () => void): number {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

const SPICE: readonly string[] = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n ',
    '\r\n\r\n',
    '\0',
    '"',
    '\\',
    '<',
    '>',
    ';',
    ',',
    ':',
    '@',
    '=',
    '%',
    '%00',
    '[',
    ']',
  ],
  ...[
    '::',
    '*',
    '?',
    'SIP/2.0',
    'l: 99999',
    'Content-Length: 0\r\n',
    'v: ',
    'z9hG4bK',
    ';lr',
    ';tag=',
    ';rport',
    '\xff',
  ],
  ...[
    '4294967296',
    '-1',
    '1e9',
    'tag=tag=',
    'CSeq: ',
    'To: ',
    'Via: SIP/2.0/UDP a\r\n',
    ';'.repeat(300),
    ','.repeat(300),
  ],
]

/** One to four changes of a random seed. */
export function mutated(random: Random, material: readonly string[]): string {
  const other = (): string => one(random, material)
  let text = other()
  for (let changes = random.between(1, 4); changes > 0; changes--) text = change(random, text, other)
  return text
}

function one(random: Random, list: readonly string[]): string {
  return list[random.between(0, list.length - 1)] ?? ''
}

function change(random: Random, text: string, other: () => string): string {
  const at = random.between(0, text.length)
  const end = Math.min(text.length, at + random.between(0, 40))
  switch (random.between(0, 6)) {
    case 0: // A bit flips.
      return (
        text.slice(0, at) +
        String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.between(0, 7))) +
        text.slice(at + 1)
      )
    case 1:
      return text.slice(0, at) + one(random, SPICE) + text.slice(at)
    case 2:
      return text.slice(0, at) + one(random, SPICE) + text.slice(end)
    case 3:
      return text.slice(0, at) + text.slice(end)
    case 4: // A piece twice.
      return text.slice(0, end) + text.slice(at)
    case 5: // The head of one, the tail of another.
      return text.slice(0, at) + other().slice(random.between(0, 500))
    default: // A piece many times.
      return text.slice(0, at) + text.slice(at, end).repeat(random.between(2, 200)) + text.slice(end)
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' }, seed: { type: 'string' } } })
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const result = fuzzSip({ seconds: Number(values.seconds), seed })
  console.log(`seed ${seed}: ${result.inputs} inputs, slowest ${result.slowestMs.toFixed(1)} ms`)
  for (const { what, input } of result.findings) console.log(`${what}\n  ${input}`)
  process.exit(result.findings.length === 0 ? 0 : 1)
}
