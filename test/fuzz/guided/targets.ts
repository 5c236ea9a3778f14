import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { GatewayError } from '../../../src/base/index.ts'
import {
  answerChallenge,
  createResponse,
  createStreamFramer,
  parseAuthorization,
  parseChallenges,
  parseNameAddr,
  parseUri,
  uriEquals,
  writeNameAddr,
  writeUri,
} from '../../../src/sip/index.ts'
import { sdpTarget } from '../sdp.ts'
import { mutated, seeds, sipTarget } from '../sip.ts'
import type { FuzzTarget } from './guided.ts'

/** What can be searched, by the name on the command line. */
export const TARGETS: Readonly<Record<string, () => FuzzTarget>> = {
  sip: sipTarget,
  sdp: sdpTarget,
  uri: () => ({ seeds: URIS, change: mutated, take: takeUri }),
  digest: () => ({ seeds: DIGESTS, change: mutated, take: takeDigest }),
  stream: () => ({ seeds: STREAMS, change: mutated, take: takeStream }),
}

const URIS: readonly string[] = [
  ...seeds().filter((text) => /^<?(sips?|tel):/i.test(text) && text.length < 500),
  'sip:alice:secret@[2001:db8::1]:5060;transport=tcp;lr;x=%41?Subject=a&b=c%20d',
  'sips:%61lice;x=1@EXAMPLE.test;maddr=192.0.2.1;method=INVITE;ttl=1;user=phone',
  'tel:+1-555-0100;phone-context=example.test',
  '"A \\"B\\" <c>" <sip:a@b;x>;tag=1;q=0.5;expires=60;y="z;,"',
  'A B <sip:a@b>;tag=1',
]

/** What was read of a URI or an address is written so that it reads the same. */
function takeUri(text: string): void {
  if (/[\r\n]/.test(text)) return // Neither a start line nor a header value has a line break.
  const uri = allowed(() => parseUri(text))
  if (uri !== undefined) {
    const written = writeUri(uri)
    assert.doesNotMatch(written, /[\r\n]/)
    const again = parseUri(written)
    assert.equal(writeUri(again), written, 'written and read again')
    assert.ok(uriEquals(uri, again) && uriEquals(again, uri), 'equal to itself')
  }
  const address = allowed(() => parseNameAddr(text))
  if (address === undefined) return
  const written = writeNameAddr(address)
  assert.doesNotMatch(written, /[\r\n]/)
  assert.equal(writeNameAddr(parseNameAddr(written)), written, 'written and read again')
}

const DIGESTS: readonly string[] = [
  'Digest realm="r", nonce="n", algorithm=MD5, qop="auth,auth-int", stale=true, opaque="o"',
  'Digest realm="a \\"b\\"", nonce="", algorithm=SHA-256-sess, domain="sip:a sip:b"',
  'Digest username="a", realm="r", nonce="n", uri="sip:x", response="0123456789abcdef0123456789abcdef"',
  'Digest username="a", realm="r", nonce="n", uri="sip:x", response="0", nc=00000001, cnonce="c", qop=auth, opaque=""',
  'DIGEST username = "\\\\", realm="r" , nonce="n",uri="sip:x",response="0",nc=ffffffff,cnonce="c",qop="auth-int"',
]

/** A challenge that is understood is answered with credentials that can be read; credentials are read or refused. */
function takeDigest(text: string): void {
  allowed(() => parseAuthorization(text))
  if (/[\r\n]/.test(text)) return // No header value has a line break.
  const response = createResponse({ status: 401, headers: [{ name: 'WWW-Authenticate', value: text }] })
  for (const challenge of allowed(() => parseChallenges(response)) ?? []) {
    const answer = allowed(() =>
      answerChallenge({
        challenge,
        method: 'INVITE',
        uri: 'sip:bob@example.test',
        username: 'al"ice\\',
        password: 'secret',
        cnonce: 'c',
        nonceCount: 1,
        hash: (algorithm, data) =>
          createHash(algorithm.toLowerCase().replace('-', '')).update(data, 'latin1').digest('hex'),
      }),
    )
    if (answer === undefined) continue
    assert.doesNotMatch(answer.value, /[\r\n]/)
    const read = parseAuthorization(answer.value)
    assert.deepEqual([read?.username, read?.realm, read?.nonce], ['al"ice\\', challenge.realm, challenge.nonce])
  }
}

const STREAMS: readonly string[] = [
  ...seeds().filter((text) => text.length < 2_000 && text.includes('\r\n\r\n')),
  '\r\n\r\n\r\n',
  'OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc\r\n\r\nOPTIONS sip:b SIP/2.0\r\nContent-Length : 0\r\n\r\n',
]

/** However a stream is cut, the same comes out of it, and what waits is bounded. */
function takeStream(text: string): void {
  const whole = framed([text])
  const half = Math.floor(text.length / 2)
  assert.deepEqual(framed([text.slice(0, half), text.slice(half)]), whole, 'cut in two')
  if (text.length < 3_000) assert.deepEqual(framed([...text]), whole, 'byte by byte')
}

function framed(chunks: readonly string[]) {
  const framer = createStreamFramer()
  const messages: string[] = []
  for (const chunk of chunks) {
    const { messages: more, broken } = framer.push(chunk)
    messages.push(...more)
    assert.ok(framer.buffered < 1_000_000, 'it keeps too much')
    if (broken !== undefined) return { messages, broken: broken.code }
  }
  return { messages, broken: undefined }
}

/** `undefined` for an error that a peer can be told. */
function allowed<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof GatewayError && error.code !== 'INTERNAL') return undefined
    throw error
  }
}
