import { parseMessage, writeMessage } from '../../src/sip/index.ts'
import { rounded } from '../report/index.ts'
import { sdp } from './sip-text.ts'

/** An INVITE as a telephone sends it through one proxy. */
const INVITE = [
  'INVITE sip:+15550199@198.51.100.7:5060;user=phone SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---d1f3c9a07b;rport',
  'Via: SIP/2.0/UDP 10.1.2.3:5062;branch=z9hG4bK77ef4c2312983.1;received=192.0.2.44',
  'Record-Route: <sip:192.0.2.10;lr;ftag=9fxced76sl>',
  'Max-Forwards: 69',
  'Contact: <sip:alice@10.1.2.3:5062>',
  'To: <sip:+15550199@example.test>',
  'From: "Alice" <sip:alice@example.test>;tag=9fxced76sl',
  'Call-ID: 3848276298220188511@10.1.2.3',
  'CSeq: 2 INVITE',
  'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO',
  'Supported: replaces, timer',
  'User-Agent: Phone/4.2',
  'Content-Type: application/sdp',
].join('\r\n')

export interface MessageSpeed {
  readonly bytes: number
  /** Parsed and six header fields read. */
  readonly parsedPerSecond: number
  readonly writtenPerSecond: number
}

/** Messages per second of one core, best of several rounds: other work on the machine only makes a round slower. */
export function measureMessages(roundMs: number): MessageSpeed {
  const body = sdp('10.1.2.3', 49_170)
  const text = `${INVITE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const message = parseMessage(text)
  return {
    bytes: text.length,
    parsedPerSecond: best(roundMs, () => {
      const { headers } = parseMessage(text)
      return headers.callId.length + headers.cseq.sequence + headers.topVia.host.length + lengths(headers)
    }),
    writtenPerSecond: best(roundMs, () => Buffer.from(writeMessage(message), 'latin1').length),
  }
}

function lengths(headers: ReturnType<typeof parseMessage>['headers']): number {
  return (headers.fromTag?.length ?? 0) + (headers.toTag?.length ?? 0) + (headers.maxForwards ?? 0)
}

const ROUNDS = 5
const BATCH = 1_000

function best(roundMs: number, work: () => number): number {
  let fastest = 0
  let sink = 0
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    let done = 0
    while (performance.now() - startedAt < roundMs) {
      for (let i = 0; i < BATCH; i++) sink += work()
      done += BATCH
    }
    fastest = Math.max(fastest, (done / (performance.now() - startedAt)) * 1_000)
  }
  if (sink === 0) throw new Error('nothing was measured')
  return rounded(fastest, 0)
}
