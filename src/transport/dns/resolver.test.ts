import assert from 'node:assert/strict'
import { Resolver as NodeResolver } from 'node:dns/promises'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DnsServer, type Zone } from '../../../test/support/dns-server.ts'
import { createHosts } from './hosts.ts'
import { readReply, writeQuery } from './message.ts'
import { createResolver, serverOf } from './resolver.ts'

const SERVICES = [
  { priority: 10, weight: 60, port: 5060, target: 'a.carrier.test' },
  { priority: 20, weight: 0, port: 5062, target: 'b.carrier.test' },
]
const POINTERS = [
  {
    order: 10,
    preference: 50,
    flags: 's',
    service: 'SIP+D2U',
    regexp: '',
    replacement: '_sip._udp.carrier.test',
  },
]
const ZONE: Zone = {
  negativeSeconds: 45,
  entries: {
    'carrier.test': [{ type: 'NAPTR', pointers: POINTERS, ttlSeconds: 300 }],
    '_sip._udp.carrier.test': [{ type: 'SRV', services: SERVICES, ttlSeconds: 120 }],
    'a.carrier.test': [
      { type: 'A', addresses: ['192.0.2.1', '192.0.2.2'], ttlSeconds: 30 },
      { type: 'AAAA', addresses: ['2001:db8::1', '::1', '2001:db8:0:0:1:0:0:2'] },
    ],
    'www.carrier.test': [{ type: 'CNAME', name: 'alias.carrier.test', ttlSeconds: 500 }],
    'alias.carrier.test': [{ type: 'CNAME', name: 'a.carrier.test', ttlSeconds: 7 }],
    'loop.test': [{ type: 'CNAME', name: 'loop.test' }],
  },
}

describe('the DNS', () => {
  let server: DnsServer
  before(async () => {
    server = await DnsServer.start(ZONE)
  })
  after(() => server.stop())
  beforeEach(() => {
    server.manner = 'answering'
    server.asked.length = 0
  })
  const noHosts = { answer: () => undefined }
  const resolver = (timeoutMs = 10_000) => createResolver({ servers: [server.address], timeoutMs, hosts: noHosts })

  test('the server of these tests is one: another implementation reads the same from it', async () => {
    const other = new NodeResolver()
    other.setServers([`127.0.0.1:${server.address.port}`])
    assert.deepEqual(await other.resolve4('a.carrier.test', { ttl: true }), [
      { address: '192.0.2.1', ttl: 30 },
      { address: '192.0.2.2', ttl: 30 },
    ])
    assert.deepEqual(
      (await other.resolveSrv('_sip._udp.carrier.test')).map(({ name, port }) => [name, port]),
      SERVICES.map(({ target, port }) => [target, port]),
    )
    const [pointer] = await other.resolveNaptr('carrier.test')
    assert.equal(pointer?.replacement, '_sip._udp.carrier.test')
    assert.deepEqual(await other.resolve6('www.carrier.test'), ['2001:db8::1', '::1', '2001:db8::1:0:0:2'])
  })

  test('records are told with the time they may be believed', async () => {
    assert.deepEqual(await resolver().ask({ name: 'carrier.test', type: 'NAPTR' }), {
      kind: 'found',
      records: { type: 'NAPTR', pointers: POINTERS },
      ttlSeconds: 300,
    })
    assert.deepEqual(await resolver().ask({ name: '_sip._udp.carrier.test', type: 'SRV' }), {
      kind: 'found',
      records: { type: 'SRV', services: SERVICES },
      ttlSeconds: 120,
    })
    assert.deepEqual(await resolver().ask({ name: 'a.carrier.test', type: 'AAAA' }), {
      kind: 'found',
      records: { type: 'AAAA', addresses: ['2001:db8::1', '::1', '2001:db8::1:0:0:2'] },
      ttlSeconds: 60,
    })
  })

  test('aliases are followed, and the shortest time on the way counts', async () => {
    assert.deepEqual(await resolver().ask({ name: 'www.carrier.test', type: 'A' }), {
      kind: 'found',
      records: { type: 'A', addresses: ['192.0.2.1', '192.0.2.2'] },
      ttlSeconds: 7,
    })
    assert.equal((await resolver().ask({ name: 'loop.test', type: 'A' })).kind, 'none')
  })

  test('RFC 2308 §5: that there is nothing is believed as long as the zone says', async () => {
    for (const question of [
      { name: 'nowhere.test', type: 'A' },
      { name: 'a.carrier.test', type: 'SRV' },
    ] as const) {
      assert.deepEqual(await resolver().ask(question), { kind: 'none', ttlSeconds: 45 })
    }
  })

  test('RFC 7766 §5: an answer that does not fit a datagram is fetched over TCP', async () => {
    server.manner = 'truncating'
    const answer = await resolver().ask({ name: 'a.carrier.test', type: 'A' })
    assert.equal(answer.kind, 'found')
    assert.deepEqual(
      server.asked.map(({ over }) => over),
      ['udp', 'tcp'],
    )
  })

  test('a server in trouble leads to the next one', async () => {
    const other = await DnsServer.start(ZONE)
    try {
      server.manner = 'failing'
      const both = createResolver({
        servers: [server.address, other.address],
        timeoutMs: 10_000,
        hosts: noHosts,
      })
      assert.equal((await both.ask({ name: 'a.carrier.test', type: 'A' })).kind, 'found')
      assert.equal(other.asked.length, 1)
    } finally {
      await other.stop()
    }
  })

  test('a silent server is asked again, and then nobody could tell', async () => {
    server.manner = 'silent'
    const answer = await resolver(50).ask({ name: 'a.carrier.test', type: 'A' })
    assert.deepEqual(answer, { kind: 'failed', detail: 'no answer within 50 ms' })
    assert.ok(server.asked.length > 0)
  })

  test('where nobody listens, that is known at once', async () => {
    const gone = await DnsServer.start(ZONE)
    const { address } = gone
    await gone.stop()
    const lost = createResolver({ servers: [address], timeoutMs: 20_000, hosts: noHosts })
    assert.equal((await lost.ask({ name: 'a.carrier.test', type: 'A' })).kind, 'failed')
  })

  test('what is no domain name is not asked for', async () => {
    for (const name of ['a..test', `${'a'.repeat(64)}.test`, `${'a.'.repeat(140)}test`]) {
      assert.equal((await resolver().ask({ name, type: 'A' })).kind, 'failed')
    }
    assert.deepEqual(server.asked, [])
  })

  test('names of the hosts file and localhost are known without asking', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-hosts-'))
    try {
      const path = join(folder, 'hosts')
      await writeFile(path, '127.0.0.1 localhost\n192.0.2.7\tPBX pbx.lan # ours\n2001:db8::7 pbx.lan\nnonsense here\n')
      const local = createResolver({ servers: [server.address], hosts: createHosts(path) })
      const told = async (name: string, type: 'A' | 'AAAA' | 'SRV') => {
        const answer = await local.ask({ name, type })
        return answer.kind === 'found' && 'addresses' in answer.records ? answer.records.addresses : answer.kind
      }
      assert.deepEqual(await told('pbx', 'A'), ['192.0.2.7'])
      assert.deepEqual(await told('pbx.lan', 'AAAA'), ['2001:db8::7'])
      assert.deepEqual(await told('pbx.lan', 'SRV'), 'none')
      assert.deepEqual(await told('localhost', 'A'), ['127.0.0.1'])
      assert.deepEqual(server.asked, [])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

const QUESTION = { name: 'a.test', type: 'A' } as const

/** A reply to `QUESTION` by hand: the header's counts, then what follows the question. */
function handmade(answers: number, rest: readonly number[], id = 7): Buffer {
  const header = Buffer.from([0, id, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0])
  return Buffer.concat([header, writeQuery(7, QUESTION).subarray(12, 12 + 12), Buffer.from(rest)])
}

/** A pointer to the name of the question. */
const NAME = [0xc0, 12]
const A_RECORD = [...NAME, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]

test('RFC 1035 §4.1.4: names may point to others', () => {
  const reply = readReply(handmade(1, A_RECORD), 7, QUESTION)
  assert.deepEqual(reply, {
    kind: 'answer',
    answer: { kind: 'found', records: { type: 'A', addresses: ['192.0.2.1'] }, ttlSeconds: 60 },
  })
})

const strange: readonly (readonly [what: string, data: Buffer])[] = [
  ['another id', handmade(1, A_RECORD, 8)],
  ['a query', writeQuery(7, QUESTION)],
  ['an answer to another question', readjusted(handmade(1, A_RECORD), 13, 'b')],
  ['a name that points to itself', handmade(1, [0xc0, 24, ...A_RECORD.slice(2)])],
  ['a name that points outside', handmade(1, [0xff, 0xff, ...A_RECORD.slice(2)])],
  ['a record longer than the message', handmade(1, A_RECORD.slice(0, -2))],
  ['fewer records than announced', handmade(3, A_RECORD)],
  ['nothing', Buffer.alloc(0)],
]
for (const [what, data] of strange) {
  test(`${what} is not our answer`, () => assert.deepEqual(readReply(data, 7, QUESTION), { kind: 'other' }))
}

test('whatever bytes come, reading them ends and throws nothing', () => {
  let state = 1
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 16
  }
  for (let round = 0; round < 5_000; round++) {
    const data = handmade(1 + (next() % 3), [...A_RECORD, ...A_RECORD, ...A_RECORD])
    for (let changes = next() % 6; changes >= 0; changes--) data[next() % data.length] = next() & 255
    readReply(data.subarray(0, next() % 4 === 0 ? next() % data.length : data.length), 7, QUESTION)
  }
})

test('servers are written as addresses, with a port or without', () => {
  assert.deepEqual(
    ['192.0.2.53', '192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]:5353', 'dns.test', '192.0.2.53:0'].map(serverOf),
    [
      { host: '192.0.2.53', port: 53 },
      { host: '192.0.2.53', port: 5353 },
      { host: '2001:db8::53', port: 53 },
      { host: '2001:db8::53', port: 5353 },
      undefined,
      undefined,
    ],
  )
})

function readjusted(data: Buffer, at: number, char: string): Buffer {
  data[at] = char.charCodeAt(0)
  return data
}
