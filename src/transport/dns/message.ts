import { LIMITS } from '../../base/index.ts'
import type { DnsAnswer, DnsQuestion, DnsRecords, DnsType, NaptrRecord, SrvRecord } from '../../sip/index.ts'
import { Reader } from './reader.ts'

/** Record types by number (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 3403). */
const TYPES: Readonly<Record<DnsType, number>> = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 }
const CNAME = 5
const SOA = 6
const OPT = 41
const INTERNET = 1

/** What we take over UDP: fits any path without fragments (RFC 9715). */
const UDP_BYTES = 1_232

const RESPONSE = 0x8000
const TRUNCATED = 0x0200
const RECURSION_DESIRED = 0x0100
const NO_SUCH_NAME = 3

/** Aliases followed within one answer. */
const ALIASES = 8

/** What nobody says anything about is believed for this long, in seconds: an answer without SOA (RFC 2308 §5). */
const UNTOLD_NEGATIVE_SECONDS = 30

/** A query (RFC 1035 §4) with EDNS (RFC 6891) that asks the server to do the work. */
export function writeQuery(id: number, { name, type }: DnsQuestion): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'))
  const fits = labels.every(({ length }) => length > 0 && length < 64) && name.length < 254
  if (!fits) throw new Error(`${name.slice(0, 80)} is no domain name`)
  const header = Buffer.alloc(12)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(RECURSION_DESIRED, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(1, 10)
  const asked = labels.flatMap((label) => [Buffer.from([label.length]), label])
  const tail = Buffer.alloc(5)
  tail.writeUInt16BE(TYPES[type], 1)
  tail.writeUInt16BE(INTERNET, 3)
  const edns = Buffer.alloc(11)
  edns.writeUInt16BE(OPT, 1)
  edns.writeUInt16BE(UDP_BYTES, 3)
  return Buffer.concat([header, ...asked, tail, edns])
}

/** A response as far as it matters. `truncated`: the whole of it is to be had over TCP. */
export type DnsReply =
  | { readonly kind: 'truncated' }
  | { readonly kind: 'answer'; readonly answer: DnsAnswer }
  /** Not the answer to this query: to be ignored (RFC 5452 §9.1). */
  | { readonly kind: 'other' }

/** Reads what came back for a query. Whatever is in `data`, nothing is thrown. */
export function readReply(data: Buffer, id: number, question: DnsQuestion): DnsReply {
  try {
    return reply(new Reader(data), id, question)
  } catch {
    return { kind: 'other' } // It ends within itself or points outside.
  }
}

interface Resource {
  readonly name: string
  readonly type: number
  readonly ttlSeconds: number
  readonly at: number
  readonly end: number
}

function reply(reader: Reader, id: number, question: DnsQuestion): DnsReply {
  const [gotId, flags, questions, answers, authorities] = [
    reader.uint16(),
    reader.uint16(),
    reader.uint16(),
    reader.uint16(),
    reader.uint16(),
  ]
  reader.uint16()
  if (gotId !== id || (flags & RESPONSE) === 0) return { kind: 'other' }
  if (questions !== 1) return questions === 0 ? failure(flags & 15) : { kind: 'other' } // FORMERR repeats nothing.
  const isOurs = reader.name() === question.name && reader.uint16() === TYPES[question.type]
  if (!isOurs || reader.uint16() !== INTERNET) return { kind: 'other' }
  if ((flags & TRUNCATED) !== 0) return { kind: 'truncated' }
  const code = flags & 15
  if (code !== 0 && code !== NO_SUCH_NAME) return failure(code)
  const given = resources(reader, answers)
  const found = recordsFor(question, given, reader)
  if (found !== undefined) return { kind: 'answer', answer: found }
  const soa = resources(reader, authorities).find(({ type }) => type === SOA)
  return {
    kind: 'answer',
    answer: { kind: 'none', ttlSeconds: soa === undefined ? UNTOLD_NEGATIVE_SECONDS : negativeTtl(reader, soa) },
  }
}

/** SERVFAIL, REFUSED and the like. */
function failure(code: number): DnsReply {
  return code === 0
    ? { kind: 'other' }
    : { kind: 'answer', answer: { kind: 'failed', detail: `server says error ${code}` } }
}

function resources(reader: Reader, count: number): readonly Resource[] {
  const out: Resource[] = []
  for (let n = 0; n < count; n++) {
    const name = reader.name()
    const type = reader.uint16()
    reader.uint16()
    const ttlSeconds = reader.uint32()
    const length = reader.uint16()
    const at = reader.at
    reader.skip(length)
    // RFC 2181 §8: a TTL with the highest bit set is zero.
    if (out.length < LIMITS.dnsRecords)
      out.push({ name, type, ttlSeconds: ttlSeconds > 0x7fffffff ? 0 : ttlSeconds, at, end: reader.at })
  }
  return out
}

/** The records asked for, behind any aliases; the shortest TTL on the way counts. */
function recordsFor(question: DnsQuestion, given: readonly Resource[], reader: Reader): DnsAnswer | undefined {
  let { name } = question
  let ttlSeconds = Number.POSITIVE_INFINITY
  for (let alias = 0; alias <= ALIASES; alias++) {
    const matching = given.filter((each) => each.name === name && each.type === TYPES[question.type])
    if (matching.length > 0) {
      ttlSeconds = Math.min(ttlSeconds, ...matching.map((each) => each.ttlSeconds))
      return { kind: 'found', records: parse(question.type, matching, reader), ttlSeconds }
    }
    const next = given.find((each) => each.name === name && each.type === CNAME)
    if (next === undefined) return undefined
    ttlSeconds = Math.min(ttlSeconds, next.ttlSeconds)
    name = reader.from(next.at).name()
  }
  return undefined
}

function parse(type: DnsType, matching: readonly Resource[], reader: Reader): DnsRecords {
  const each = <T>(read: (from: Reader, resource: Resource) => T): readonly T[] =>
    matching.map((resource) => read(reader.from(resource.at), resource))
  switch (type) {
    case 'A':
      return { type, addresses: each((from) => from.address(4)) }
    case 'AAAA':
      return { type, addresses: each((from) => from.address(16)) }
    case 'SRV':
      return { type, services: each(readService) }
    case 'NAPTR':
      return { type, pointers: each(readPointer) }
  }
}

function readService(from: Reader): SrvRecord {
  return { priority: from.uint16(), weight: from.uint16(), port: from.uint16(), target: from.name() }
}

function readPointer(from: Reader): NaptrRecord {
  return {
    order: from.uint16(),
    preference: from.uint16(),
    flags: from.text(),
    service: from.text(),
    regexp: from.text(),
    replacement: from.name(),
  }
}

/** RFC 2308 §5: the smaller of the SOA's own TTL and its last field. */
function negativeTtl(reader: Reader, { at, ttlSeconds }: Resource): number {
  const from = reader.from(at)
  from.name()
  from.name()
  from.skip(16)
  return Math.min(ttlSeconds, from.uint32())
}
