import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../src/base/index.ts'
import {
  answerLocally,
  type LocalFacts,
  negotiated,
  parseSdp,
  type SessionDescription,
  type TranslationPolicy,
  translateAnswer,
  translateOffer,
  writeSdp,
} from '../../src/sdp/index.ts'
import { corpus } from '../support/corpora.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { browserSdp, phoneSdp } from '../support/sdp-texts.ts'
import type { FuzzTarget } from './guided/guided.ts'
import { mutate } from './mutate.ts'

/** Longer than a garbage collection or another process takes; what is really slow takes seconds. */
const SLOW_MS = 250

const POLICY: TranslationPolicy = {
  audioCodecs: ['opus/48000', 'G722/8000', 'PCMU/8000', 'PCMA/8000'],
  video: true,
  srtp: 'accept',
}
const IDENTITY = { sessionId: '1', version: 1 }
const KINDS = ['audio', 'video']
const WEB: LocalFacts = {
  kind: 'webrtc',
  ice: { ufrag: 'ours', pwd: 'our-password-of-enough-length', lite: true },
  candidates: [{ foundation: '1', protocol: 'udp', priority: 1, address: '192.0.2.200', port: 3480 }],
  fingerprint: { algorithm: 'sha-256', value: Array(32).fill('AB').join(':') },
  media: KINDS.map((kind, n) => ({ kind, ssrc: 100 + n, cname: 'ours' })),
}
const RTP: LocalFacts = {
  kind: 'rtp',
  media: KINDS.map((kind, n) => ({
    kind,
    ssrc: 200 + n,
    cname: 'ours',
    address: '192.0.2.201',
    port: 20_000 + 2 * n,
    rtcpPort: 20_001 + 2 * n,
    crypto: [{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', key: 'b3VycyBvdXJzIG91cnMgb3VycyBvdXJzIG91cnM0' }],
  })),
}

/** Over what is accepted, so that this bound is met too. */
const MAX_CHARACTERS = 40_000

const HOSTILE = [
  '-1',
  '0',
  '127',
  '128',
  '65535',
  '65536',
  '4294967296',
  '99999999999999999999',
  '1e9',
  '0x10',
  '',
] as const
const LINES = [
  'a=bundle-only',
  'a=group:BUNDLE 0 1 audio video',
  'a=mid:0',
  'a=setup:active',
  'a=rtcp:0',
  'a=rtpmap:0 0/0',
  'a=inactive',
  'a=ice-lite',
  'c=IN IP4 255.255.255.255',
  'c=IN IP6 ::',
  'm=audio 1 RTP/SAVP 0',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR',
] as const

/** Everything that reads SDP, for the guided search. */
export function sdpTarget(): FuzzTarget {
  const seeds = [browserSdp(), phoneSdp(), ...corpusSeeds()]
  return { seeds, take, change: (random, material) => changed(oneOf(material, random), material, random) }
}

/** Every seed as it is, then `rounds` changed ones. @throws Error with the input. */
export function fuzzSdp(rounds: number, seed: number): void {
  const random = seededRandom(seed)
  const seeds = [browserSdp(), phoneSdp(), ...corpusSeeds()]
  for (const input of seeds) take(input)
  for (let round = 0; round < rounds; round++) take(changed(oneOf(seeds, random), seeds, random))
}

function changed(input: string, seeds: readonly string[], random: Random): string {
  let text = input
  for (let left = random.between(1, 4); left > 0; left--)
    text = changedOnce(text, seeds, random).slice(0, MAX_CHARACTERS)
  return text
}

function changedOnce(text: string, seeds: readonly string[], random: Random): string {
  const lines = text.split(/\r?\n/)
  const at = random.between(0, lines.length - 1)
  const line = lines[at] ?? ''
  switch (random.between(0, 5)) {
    case 0: {
      const bytes = Buffer.from(text, 'latin1')
      return mutate(bytes, [Buffer.from(oneOf(seeds, random), 'latin1')], random).toString('latin1')
    }
    case 1: // Another number.
      return lines.toSpliced(at, 1, line.replace(/\d+/, random.pick(HOSTILE))).join('\r\n')
    case 2: // A line that means something, in a place where it does not.
      return lines.toSpliced(at, 0, random.pick(LINES)).join('\r\n')
    case 3: // The same line very often.
      return lines.toSpliced(at, 0, ...Array<string>(random.between(1, 200)).fill(line)).join('\r\n')
    case 4: // A line that is very long.
      return lines
        .toSpliced(at, 1, `${line}${random.pick([' ', 'x', '[x] ', '1.'])}`.repeat(random.between(1, 500)))
        .join('\r\n')
    default:
      return lines.toSpliced(at, 1).join('\r\n')
  }
}

/** One text from a peer, in every place where one can be. */
function take(text: string): void {
  const before = process.cpuUsage()
  try {
    const description = allowed(() => parseSdp(text))
    if (description === undefined) return
    const written = writeSdp(description)
    assert.equal(writeSdp(parseSdpUnbounded(written, description)), written, 'written and read again')
    asOffer(description)
    asAnswer(description)
  } catch (error) {
    throw new Error(`SDP input ${JSON.stringify(text)}`, { cause: error })
  }
  const { user } = process.cpuUsage(before)
  const took = user / 1_000
  assert.ok(took < SLOW_MS, `${took} ms for SDP input ${JSON.stringify(text.slice(0, 2_000))}`)
}

/** What we write can be longer than what we read (an `rtpmap` for each number); then there is nothing to compare. */
function parseSdpUnbounded(written: string, otherwise: SessionDescription): SessionDescription {
  try {
    return parseSdp(written)
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'SDP_TOO_LARGE') return otherwise
    throw error
  }
}

function asOffer(offer: SessionDescription): void {
  for (const [to, local, from] of [
    ['rtp', RTP, WEB],
    ['webrtc', WEB, RTP],
  ] as const) {
    const common = { policy: POLICY, identity: IDENTITY }
    const onward = allowed(() => translateOffer({ offer, to, local, ...common }).description)
    if (onward !== undefined) check(onward, to)
    const answer = allowed(() => answerLocally({ offer, local, willing: 'sendrecv', ...common }).description)
    if (answer !== undefined) {
      assert.equal(answer.media.length, offer.media.length)
      check(answer, to)
      told(answer, offer, local)
    }
    if (onward === undefined) continue
    const taken = { ...onward, media: onward.media.map((section) => ({ ...section, setup: 'active' as const })) }
    const back = allowed(
      () => translateAnswer({ offer, offered: onward, answer: taken, local: from, ...common }).description,
    )
    if (back !== undefined) check(back, from.kind)
  }
}

function asAnswer(answer: SessionDescription): void {
  for (const [text, to, local, from] of [
    [phoneSdp(), 'webrtc', WEB, RTP],
    [browserSdp(), 'rtp', RTP, WEB],
  ] as const) {
    const offer = parseSdp(text)
    const common = { policy: POLICY, identity: IDENTITY }
    const offered = translateOffer({ offer, to, local, ...common }).description
    told(offered, answer, local)
    const back = allowed(() => translateAnswer({ offer, offered, answer, local: from, ...common }).description)
    if (back !== undefined) check(back, from.kind)
  }
}

/** What leaves is well-formed, and has nothing of the peer but what it may have. */
function check(description: SessionDescription, to: 'webrtc' | 'rtp'): void {
  const text = writeSdp(description)
  for (const line of text.split('\r\n').slice(0, -1)) assert.match(line, /^[a-z]=[^\r\n]+$/)
  const live = description.media.filter(({ port }) => port !== 0)
  assert.ok(
    live.every(({ address }) => address.startsWith('192.0.2.20')),
    'an address of ours',
  )
  assert.ok(live.every(({ codecs }) => codecs.length > 0))
  const numbers = live.map(({ codecs }) => codecs.map(({ payloadType }) => payloadType))
  assert.ok(
    numbers.every((each) => new Set(each).size === each.length),
    'each payload type once',
  )
  if (to === 'rtp') {
    const carried = writeSdp({ ...description, media: live.map(({ mid: _, ...section }) => section) })
    assert.doesNotMatch(carried, /a=(?:ice-|candidate|fingerprint|setup|group|extmap|msid|ssrc)/)
  }
}

function told(ours: SessionDescription, theirs: SessionDescription, local: LocalFacts): void {
  const side = allowed(() => negotiated({ ours, theirs, local }))
  if (side?.kind !== 'rtp') return
  for (const { active, port, rtcpPort } of side.media.filter((medium) => medium.active)) {
    assert.ok(active && port > 0 && port < 65_536 && rtcpPort > 0 && rtcpPort < 65_536)
  }
}

/** `undefined` for an error that a peer can be told. */
function allowed<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof GatewayError && error.code.startsWith('SDP_')) return undefined
    throw error
  }
}

function oneOf(list: readonly string[], random: Random): string {
  return list[random.between(0, list.length - 1)] ?? ''
}

function folderOf(topic: string, folder: string): string | undefined {
  const path = corpus(topic)
  return path && join(path, folder)
}

function corpusSeeds(): readonly string[] {
  const folders = [folderOf('fuzz-seeds', 'sdp'), folderOf('fuzz-seeds', 'sdes'), folderOf('sdp-offer-answer', 'real')]
  return folders
    .flatMap((folder) => (folder === undefined ? [] : readdirSync(folder).map((file) => join(folder, file))))
    .map((path) => readFileSync(path, 'latin1'))
}

if (process.argv[1]?.endsWith('fuzz/sdp.ts')) {
  const at = process.argv.indexOf('--seconds')
  const until = at < 0 ? Number.POSITIVE_INFINITY : Date.now() + Number(process.argv[at + 1]) * 1_000
  for (let seed = Date.now(); Date.now() < until; seed++) fuzzSdp(2_000, seed)
}
