import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { targetOf } from '../dialog/target.ts'
import type { TransportName } from '../flow.ts'
import { locate } from './locate.ts'
import type { DnsFact, DnsQuestion } from './model.ts'
import { orderServices } from './srv-order.ts'

type Facts = Readonly<Record<string, DnsFact>>

const a = (...addresses: string[]): DnsFact => ({ type: 'A', addresses })
const aaaa = (...addresses: string[]): DnsFact => ({ type: 'AAAA', addresses })
/** `priority weight port target`. */
const srv = (...lines: string[]): DnsFact => {
  return {
    type: 'SRV',
    services: lines.map((line) => {
      const [priority, weight, port, target = ''] = line.split(' ')
      return { priority: Number(priority), weight: Number(weight), port: Number(port), target }
    }),
  }
}
/** `order preference flags service replacement`. */
const naptr = (...lines: string[]): DnsFact => {
  return {
    type: 'NAPTR',
    pointers: lines.map((line) => {
      const [order, preference, flags = '', service = '', replacement = '', regexp = ''] = line.split(' ')
      return { order: Number(order), preference: Number(preference), flags, service, replacement, regexp }
    }),
  }
}

const HOSTS: Facts = { 'A h': a('192.0.2.9'), 'A s1': a('192.0.2.1'), 'A s2': a('192.0.2.2'), 'A s3': a('192.0.2.3') }
const ALL: readonly TransportName[] = ['udp', 'tcp', 'tls']

/** Asks what is asked for until there are targets. What the facts do not name there is none of. */
function found(uri: string, facts: Facts, transports = ALL, random = () => 0) {
  const known = new Map<string, DnsFact>()
  const asked: string[] = []
  for (let round = 0; round < 10; round++) {
    const key = ({ type, name }: DnsQuestion): string => `${type} ${name}`
    const located = locate(targetOf(uri), { fact: (question) => known.get(key(question)), random, transports })
    if (located.kind === 'targets') return { ...located, asked }
    for (const question of located.questions) {
      assert.ok(!known.has(key(question)), `asks twice for ${key(question)}`)
      asked.push(key(question))
      known.set(key(question), { ...HOSTS, ...facts }[key(question)] ?? 'none')
    }
  }
  throw new Error('asks on and on')
}

/** `udp 192.0.2.1:5060`, with `+` where large requests may go over TCP, and where if that is elsewhere. */
function told(uri: string, facts: Facts = {}, transports = ALL): string {
  const { targets } = found(uri, facts, transports)
  return targets
    .map(({ transport, to, large }) => {
      const place = `${to.host}:${to.port}`
      const other = large === undefined ? '' : large.host === to.host && large.port === to.port ? '+' : `+${large.host}`
      return `${transport} ${place}${other}`
    })
    .join(', ')
}

const UDP_AND_TCP = naptr('20 1 s SIP+D2U _sip._udp.h', '10 1 s SIP+D2T _sip._tcp.h')

const cases: readonly (readonly [what: string, uri: string, facts: Facts, targets: string])[] = [
  ['an address is itself', 'sip:192.0.2.5', {}, 'udp 192.0.2.5:5060+'],
  ['an address with a transport', 'sip:192.0.2.5;transport=udp', {}, 'udp 192.0.2.5:5060'],
  ['an IPv6 address', 'sip:[2001:db8::5]:5070;transport=tcp', {}, 'tcp 2001:db8::5:5070'],
  [
    '§4.1: NAPTR chooses the transport',
    'sip:h',
    { 'NAPTR h': naptr('10 1 s SIP+D2T _sip._tcp.h'), 'SRV _sip._tcp.h': srv('1 0 5062 s1') },
    'tcp 192.0.2.1:5062',
  ],
  [
    '§4.1: the order of NAPTR records, not that of the answer',
    'sip:h',
    { 'NAPTR h': UDP_AND_TCP, 'SRV _sip._tcp.h': srv('1 0 1 s1'), 'SRV _sip._udp.h': srv('1 0 2 s2') },
    'tcp 192.0.2.1:1, udp 192.0.2.2:2+192.0.2.1',
  ],
  [
    '§4.1: equal orders by preference',
    'sip:h',
    {
      'NAPTR h': naptr('1 9 s SIP+D2U _sip._udp.h', '1 2 s SIP+D2T _sip._tcp.h'),
      'SRV _sip._tcp.h': srv('1 0 1 s1'),
      'SRV _sip._udp.h': srv('1 0 2 s2'),
    },
    'tcp 192.0.2.1:1, udp 192.0.2.2:2+192.0.2.1',
  ],
  [
    '§4.1: a service we have not is passed over',
    'sip:h',
    {
      'NAPTR h': naptr('1 1 s SIP+D2S _sip._sctp.h', '2 1 s SIP+D2U _sip._udp.other'),
      'SRV _sip._udp.other': srv('1 0 2 s2'),
    },
    'udp 192.0.2.2:2',
  ],
  [
    '§4.1: a SIP URI may lead to TLS by NAPTR',
    'sip:h',
    { 'NAPTR h': naptr('1 1 s SIPS+D2T _sips._tcp.h'), 'SRV _sips._tcp.h': srv('1 0 5061 s1') },
    'tls 192.0.2.1:5061',
  ],
  [
    '§4.1: a SIPS URI leads to nothing but TLS',
    'sips:h',
    {
      'NAPTR h': naptr('1 1 s SIP+D2U _sip._udp.h', '2 1 s SIPS+D2T _sips._tcp.h'),
      'SRV _sips._tcp.h': srv('1 0 5061 s1'),
    },
    'tls 192.0.2.1:5061',
  ],
  ['§4.1: NAPTR with flag a names a host', 'sip:h', { 'NAPTR h': naptr('1 1 A SIP+D2T s3') }, 'tcp 192.0.2.3:5060'],
  [
    '§4.1: a NAPTR record with a regular expression is not for this',
    'sip:h',
    { 'NAPTR h': naptr('1 1 s SIP+D2U s3 !x!y!') },
    'udp 192.0.2.9:5060+',
  ],
  [
    '§4.1: without NAPTR, SRV of each transport',
    'sip:h',
    { 'SRV _sip._udp.h': srv('1 0 5070 s1'), 'SRV _sip._tcp.h': srv('1 0 5071 s2') },
    'udp 192.0.2.1:5070+192.0.2.2, tcp 192.0.2.2:5071',
  ],
  [
    '§18.1.1: where SRV names UDP alone, nothing goes over TCP',
    'sip:h',
    { 'SRV _sip._udp.h': srv('1 0 5070 s1') },
    'udp 192.0.2.1:5070',
  ],
  ['§4.1: without SRV either, UDP', 'sip:h', {}, 'udp 192.0.2.9:5060+'],
  ['§4.1: SIPS without anything is TLS', 'sips:h', {}, 'tls 192.0.2.9:5061'],
  ['§4.1: a port asks for no SRV', 'sip:h:5080', { 'SRV _sip._udp.h': srv('1 0 5070 s1') }, 'udp 192.0.2.9:5080+'],
  ['§4.1: SIPS with a port', 'sips:h:5081', {}, 'tls 192.0.2.9:5081'],
  [
    '§4.1: a transport asks for no NAPTR',
    'sip:h;transport=tcp',
    { 'NAPTR h': UDP_AND_TCP, 'SRV _sip._tcp.h': srv('1 0 5070 s1') },
    'tcp 192.0.2.1:5070',
  ],
  ['§4.2: a transport without SRV', 'sip:h;transport=tcp', {}, 'tcp 192.0.2.9:5060'],
  [
    '§4.2: transport=tls asks for _sips._tcp',
    'sip:h;transport=tls',
    { 'SRV _sips._tcp.h': srv('1 0 5070 s1') },
    'tls 192.0.2.1:5070',
  ],
  [
    '§4.2: transport and port',
    'sip:h:5099;transport=tcp',
    { 'SRV _sip._tcp.h': srv('1 0 5070 s1') },
    'tcp 192.0.2.9:5099',
  ],
  [
    '§4.2: all addresses of a host before those of the next',
    'sip:h;transport=udp',
    {
      'SRV _sip._udp.h': srv('1 0 1 s1', '2 0 2 s2'),
      'A s1': a('192.0.2.11', '192.0.2.12'),
      'AAAA s1': aaaa('2001:db8::1'),
    },
    'udp 192.0.2.11:1, udp 192.0.2.12:1, udp 2001:db8::1:1, udp 192.0.2.2:2',
  ],
  ['a host with IPv6 alone', 'sip:six:5070', { 'AAAA six': aaaa('2001:db8::6') }, 'udp 2001:db8::6:5070+'],
  [
    'RFC 2782: a target of "." means that the service is not there',
    'sip:h;transport=udp',
    { 'SRV _sip._udp.h': srv('0 0 0 ') },
    '',
  ],
  ['names are the same in any case, with a dot at the end or without', 'sip:H.', {}, 'udp 192.0.2.9:5060+'],
  ['nobody', 'sip:nowhere', {}, ''],
]

describe('RFC 3263 §4: where a request goes', () => {
  for (const [what, uri, facts, targets] of cases) {
    test(`${what} (${uri})`, () => assert.equal(told(uri, facts), targets))
  }

  test('transports that we do not have are not chosen', () => {
    const facts = {
      'NAPTR h': naptr('1 1 s SIPS+D2T _sips._tcp.h', '2 1 s SIP+D2U _sip._udp.h'),
      'SRV _sip._udp.h': srv('1 0 1 s1'),
    }
    assert.equal(told('sip:h', facts, ['udp', 'tcp']), 'udp 192.0.2.1:1')
  })

  test('an address is found without asking, a name by no more questions than needed', () => {
    assert.deepEqual(found('sip:192.0.2.5', {}).asked, [])
    assert.deepEqual(found('sip:h:5060', {}).asked, ['A h', 'AAAA h'])
    const facts = { 'NAPTR h': naptr('1 1 s SIP+D2U _sip._udp.h'), 'SRV _sip._udp.h': srv('1 0 1 s1', '1 0 2 s1') }
    assert.deepEqual(found('sip:h', facts).asked, ['NAPTR h', 'SRV _sip._udp.h', 'A s1', 'AAAA s1'])
  })

  test('where a server could not tell, that there is nobody is not certain', () => {
    assert.equal(found('sip:h:5060', { 'A h': 'failed' }).uncertain, true)
    assert.equal(found('sip:nowhere', {}).uncertain, false)
  })

  test('a domain with any number of records leads to a bounded number of targets', () => {
    const lines = Array.from({ length: 60 }, (_, n) => `${n} 0 5060 many${n}`)
    const many = Object.fromEntries(
      lines.map((_, n) => [`A many${n}`, a(...Array.from({ length: 60 }, (_, m) => `10.0.${n}.${m}`))]),
    )
    assert.equal(found('sip:h;transport=udp', { 'SRV _sip._udp.h': srv(...lines), ...many }).targets.length, 20)
  })
})

describe('RFC 2782: the order of SRV records', () => {
  const services = (fact: DnsFact) => (typeof fact === 'object' && fact.type === 'SRV' ? fact.services : [])
  /** A hundred numbers, evenly from 0 to 1. */
  const evenly = () => {
    let at = 0
    return () => ((at++ * 37) % 100) / 100 + 0.005
  }

  test('a lower priority goes first, whatever the weights', () => {
    const records = services(srv('2 900 1 late', '1 1 1 early', '1 1 1 early2'))
    for (const draw of [0, 0.5, 0.999]) {
      assert.equal(orderServices(records, () => draw).at(-1)?.target, 'late')
    }
  })

  test('equal priorities are drawn in proportion to their weights', () => {
    const records = services(srv('1 75 1 heavy', '1 25 1 light'))
    const random = evenly()
    const first = Array.from({ length: 100 }, () => orderServices(records, () => random())[0]?.target)
    const heavy = first.filter((target) => target === 'heavy').length
    assert.ok(heavy >= 65 && heavy <= 85, `${heavy} of 100`)
  })

  test('weight 0 is drawn seldom, but it is', () => {
    const records = services(srv('1 0 1 never', '1 99 1 always'))
    assert.equal(orderServices(records, () => 0)[0]?.target, 'never')
    assert.equal(orderServices(records, () => 0.02)[0]?.target, 'always')
  })

  test('law: every record is tried once, for any draw', () => {
    const records = services(srv('1 0 1 a', '1 10 1 b', '1 65535 1 c', '0 3 1 d', '0 0 1 e'))
    for (let draw = 0; draw < 1; draw += 0.01) {
      const targets = orderServices(records, () => draw).map(({ target }) => target)
      assert.deepEqual([...targets].sort(), ['a', 'b', 'c', 'd', 'e'])
      assert.deepEqual([...targets.slice(0, 2)].sort(), ['d', 'e'])
    }
  })
})
