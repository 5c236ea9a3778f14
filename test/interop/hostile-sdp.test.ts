import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { corpus } from '../support/corpora.ts'
import { figures, growth } from './support/figures.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { type RawPeer, tcpPeer, webSocketPeer } from './support/raw-peer.ts'
import { ask, credentials, DOMAIN, sipRequest, statusOf, token } from './support/sip-text.ts'
import { goodCall, nothingIsLeft, openWitness, plainOffer, TENANTS, type Witness } from './support/witness.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false
const LOGIN = { user: 'mallory', password: 'mallory-secret' }
const ECHO = `sip:*43@${DOMAIN}`
/** What a hostile offer may be answered: refused as the RFCs say, or made the best of. */
const REFUSALS = [400, 413, 415, 488, 513, 606]
const REFUSED_OR_TAKEN = [200, ...REFUSALS]
/** Noise of other programs on this machine in the time of one test. */
const MULTICAST_NOISE = 40

const PHONE = plainOffer(20_000)
const BROWSER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 101',
  'c=IN IP4 127.0.0.1',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  'a=setup:actpass',
  'a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host',
  '',
].join('\r\n')

type Case = readonly [what: string, sdp: string, statuses?: readonly number[]]

const many = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('')

const CRYPTO = [
  '',
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_80 inline:',
  'AES_CM_128_HMAC_SHA1_80 inline:AAAA',
  `AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(4_000)}`,
  'AES_CM_128_HMAC_SHA1_80 inline:!!!!|2^99|1:99999999999',
  'NULL_CIPHER inline:AAAA',
]
const CANDIDATES = [
  '',
  'x',
  '1 1 udp',
  '1 99 udp 1 127.0.0.1 9 typ host',
  '1 1 udp -5 127.0.0.1 65536 typ host',
  '1 1 udp 1 224.0.0.251 5353 typ host',
  '1 1 udp 1 255.255.255.255 9 typ host',
  '1 1 udp 1 evil.example 9 typ host',
  '1 1 tcp 99999999999 ::::: 9 typ srflx raddr x rport y generation z',
]

const PHONES: readonly Case[] = [
  ...['65536', '-1', '1000000000', '99999999999999999999', 'x', ''].map(
    (port): Case => [`port "${port}"`, PHONE.replace('20000', port), REFUSALS],
  ),
  ['port 0', PHONE.replace('20000', '0'), REFUSALS],
  ['65,535 ports', PHONE.replace('20000', '20000/65535')],
  ...['128', '999', '-1', '1e2', '0x0', '99999999999999999999'].map(
    (type): Case => [
      `payload type ${type}`,
      PHONE.replaceAll('RTP/AVP 0', `RTP/AVP ${type}`).replaceAll('rtpmap:0', `rtpmap:${type}`),
      REFUSALS,
    ],
  ),
  ['10,000 codecs', PHONE.replace('RTP/AVP 0', `RTP/AVP 0${many(10_000, (n) => ` ${n}`)}`), REFUSALS],
  ['1,000 codecs in as many lines', `${PHONE}${many(1_000, (n) => `a=rtpmap:${n % 128} X${n}/8000\r\n`)}`],
  ['1,000 sections', `${PHONE}${many(1_000, (n) => `m=audio ${n + 1} RTP/AVP 0\r\n`)}`, REFUSALS],
  ['a line of 30,000 characters', `${PHONE}a=x:${'x'.repeat(30_000)}\r\n`],
  ['a line of 40,000 characters', `${PHONE}a=x:${'x'.repeat(40_000)}\r\n`, REFUSALS],
  ['clock rates out of this world', PHONE.replace('PCMU/8000', 'PCMU/99999999999'), REFUSED_OR_TAKEN],
  ['ptime of nothing and of years', `${PHONE}a=ptime:0\r\na=ptime:-20\r\na=ptime:1e12\r\na=maxptime:NaN\r\n`],
  ['no o=', PHONE.replace(/o=.*\r\n/, ''), REFUSALS],
  ['no c=', PHONE.replace(/c=.*\r\n/, '')],
  ['no t=', PHONE.replace(/t=.*\r\n/, '')],
  ['no v=', PHONE.replace(/v=.*\r\n/, '')],
  ['an o= of huge numbers', PHONE.replace('- 1 1', `- ${'9'.repeat(30)} ${'9'.repeat(30)}`)],
  ['no section at all', PHONE.replace(/m=[\s\S]*/, ''), REFUSALS],
  ['nothing but line ends', '\r\n\r\n\r\n\r\n', REFUSALS],
  ['zero bytes and controls', PHONE.replace('s=-', 's=\u0000\u0001\u001b[2J\u007f')],
  [
    'SDES keys of all shapes',
    `${PHONE.replace('RTP/AVP', 'RTP/SAVP')}${many(20, (n) => `a=crypto:${n} ${CRYPTO[n % CRYPTO.length]}\r\n`)}`,
  ],
  ['a host name as address', PHONE.replace('c=IN IP4 127.0.0.1', 'c=IN IP4 evil.example')],
  ['address of another family', PHONE.replace('c=IN IP4 127.0.0.1', 'c=IN IP6 ::1')],
  ['address that is none', PHONE.replace('c=IN IP4 127.0.0.1', 'c=IN IP4 999.1.2.3'), REFUSED_OR_TAKEN],
  ['nobody: 0.0.0.0', PHONE.replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0')],
  ...['255.255.255.255', '224.0.0.251', '239.1.2.3/127', '232.0.0.1/1/65535'].map(
    (address): Case => [`many at ${address}`, PHONE.replace('c=IN IP4 127.0.0.1', `c=IN IP4 ${address}`)],
  ),
  ['RTCP to many', `${PHONE}a=rtcp:5353 IN IP4 224.0.0.251\r\n`],
  ['RTCP to impossible ports', `${PHONE}a=rtcp:0\r\na=rtcp:65536\r\na=rtcp:-1 IN IP4 127.0.0.1\r\n`],
]

const BROWSERS: readonly Case[] = [
  ...['AB', 'AB:C', 'AB:CD:', 'ZZ:ZZ', `${'AB:'.repeat(5_000)}AB`, ''].map(
    (fingerprint): Case => [
      `a fingerprint of ${fingerprint.length} characters`,
      BROWSER.replace(/(fingerprint:sha-256 ).*/, `$1${fingerprint}`),
      REFUSALS,
    ],
  ),
  ['a fingerprint by an unknown hash', BROWSER.replace('sha-256', 'md5'), REFUSALS],
  ['no fingerprint', BROWSER.replace(/a=fingerprint.*\r\n/, ''), REFUSALS],
  [
    'strange characters in ICE names',
    BROWSER.replace('abcdefghijklmnopqrstuvwx', '":\'; \u0000\u00ff%s%n{}').replace(':abcd', ':\u00e9/\\'),
  ],
  ['ICE names of no length', BROWSER.replace('ice-ufrag:abcd', 'ice-ufrag:').replace(/ice-pwd:.*/, 'ice-pwd:')],
  ['ICE names of 10,000 characters', BROWSER.replace('abcdefghijklmnopqrstuvwx', 'x'.repeat(10_000))],
  [
    'candidates that are none',
    BROWSER.replace(/a=candidate.*/, CANDIDATES.map((each) => `a=candidate:${each}`).join('\r\n')),
  ],
  [
    '900 candidates',
    BROWSER.replace(
      /a=candidate.*\r\n/,
      many(900, (n) => `a=candidate:${n} 1 udp 1 10.0.0.${n % 255} ${n} typ host\r\n`),
    ),
  ],
  ['a setup role of its own making', BROWSER.replace('setup:actpass', 'setup:whatever')],
  ['a mid of 10,000 characters', BROWSER.replace('a=mid:0', `a=mid:${'x'.repeat(10_000)}`)],
  ['a BUNDLE group of sections that are not there', BROWSER.replace('BUNDLE 0', 'BUNDLE 5 6 0 7')],
  ['two sections of one mid', `${BROWSER}${BROWSER.replace(/^[\s\S]*?m=/, 'm=')}`],
  ['header extensions of impossible numbers', `${BROWSER}${many(300, (n) => `a=extmap:${n * 100} urn:x\r\n`)}`],
  ['SSRCs beyond 32 bits', `${BROWSER}a=ssrc:99999999999 cname:x\r\na=ssrc:-1 cname:y\r\na=ssrc-group:FID 1 2 3 x\r\n`],
]

describe('hostile SDP', { skip }, () => {
  let gateway: GatewayProcess
  let witness: Witness
  let phone: RawPeer
  let browser: RawPeer
  let victim: Socket
  let hits = 0

  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
    witness = await openWitness(gateway, 'phone')
    phone = await tcpPeer(gateway.sip)
    browser = await webSocketPeer(gateway.webSocket)
    victim = createSocket({ type: 'udp4', reuseAddr: true })
    victim.on('message', () => hits++)
    victim.bind(0, '0.0.0.0')
    await once(victim, 'listening')
  })
  after(async () => {
    victim?.close()
    phone?.close()
    browser?.close()
    await witness?.hangUp()
    await gateway?.stop()
  })

  for (const [what, sdp, statuses = REFUSED_OR_TAKEN] of PHONES) {
    test(`of a phone: ${what}`, () => offered(phone, sdp, statuses))
  }
  for (const [what, sdp, statuses = REFUSED_OR_TAKEN] of BROWSERS) {
    test(`of a browser: ${what}`, () => offered(browser, sdp, statuses))
  }

  test('of the corpora: whatever it is, it is answered', async () => {
    const path = corpus('fuzz-seeds')
    if (path === undefined) return
    for (const name of readdirSync(join(path, 'sdp'))) {
      const sdp = readFileSync(join(path, 'sdp', name), 'latin1').slice(0, 40_000)
      await offered(phone, sdp, REFUSED_OR_TAKEN)
      await offered(browser, sdp, REFUSED_OR_TAKEN)
    }
  })

  test('no packet goes to many at once, however it is asked for', async () => {
    const before = packetsToMany()
    const { port } = victim.address()
    for (const address of ['255.255.255.255', '127.255.255.255', '224.0.0.251', '239.255.0.1/127']) {
      const sdp = plainOffer(port).replace('c=IN IP4 127.0.0.1', `c=IN IP4 ${address}`)
      await offered(phone, sdp, REFUSED_OR_TAKEN, () => witness.isUnharmed())
    }
    await offered(phone, `${plainOffer(9)}a=rtcp:${port} IN IP4 239.255.0.1\r\n`, REFUSED_OR_TAKEN, () =>
      witness.isUnharmed(),
    )
    assert.equal(hits, 0)
    assert.ok(packetsToMany() - before < MULTICAST_NOISE, `${packetsToMany() - before} packets to many`)
  })

  test('nothing else has changed', async () => {
    const seen = await figures(gateway)
    assert.ok(
      growth(new Map(), seen, 'trunkline_faults_total') > 20,
      `refusals are counted: ${JSON.stringify([...seen].filter(([name]) => name.startsWith('trunkline')))}`,
    )
    await witness.isUnharmed()
    await Promise.all([goodCall(gateway, 'phone'), goodCall(gateway, 'browser')])
    await nothingIsLeft(gateway, 1)
    await witness.hangUp()
    await nothingIsLeft(gateway)
  })

  /** Offers it with the right credentials; a call that comes of it is ended again. */
  async function offered(
    peer: RawPeer,
    sdp: string,
    statuses: readonly number[],
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const request = { method: 'INVITE', uri: ECHO, from: LOGIN.user, callId: token(), fromTag: token(), sdp }
    const line = credentials(await ask(peer, { ...request, sdp: '' }), request, LOGIN)
    const answer = await ask(peer, { ...request, sequence: 2, headers: [line] })
    const status = statusOf(answer)
    assert.ok(statuses.includes(status), answer)
    if (status !== 200) return
    const uri = /^Contact: *<([^>]+)>/im.exec(answer)?.[1] ?? ECHO
    const dialog = { uri, callId: request.callId, from: LOGIN.user, fromTag: request.fromTag, toTag: tagOf(answer) }
    peer.send(sipRequest(peer, { ...dialog, method: 'ACK', sequence: 2 }))
    await meanwhile()
    assert.equal(statusOf(await ask(peer, { ...dialog, method: 'BYE', sequence: 3 })), 200)
  }
})

function tagOf(response: string): string {
  return /^To:.*;tag=([^;\s]+)/im.exec(response)?.[1] ?? ''
}

/** Multicast and broadcast packets this machine has sent. */
function packetsToMany(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/netstat', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('IpExt:'))
  const columns = names.split(' ')
  const value = (name: string): number => Number(values.split(' ')[columns.indexOf(name)])
  return value('OutMcastPkts') + value('OutBcastPkts')
}
