import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Config, Mistake } from './model.ts'
import { mistakeText, parseConfig } from './parse.ts'
import type { Surroundings } from './secrets.ts'

const surroundings: Surroundings = {
  env: { CARRIER_PASSWORD: 'from-env', EMPTY: '' },
  readFile: (path) => {
    if (path === 'token.txt') return 'token-from-file\n'
    throw new Error('no such file')
  },
  newPassword: () => 'made-up',
}

function configOf(text: string): Config {
  const result = parseConfig(text, surroundings)
  assert.ok('config' in result, JSON.stringify(result))
  return result.config
}

function mistakesOf(text: string): readonly Mistake[] {
  const result = parseConfig(text, surroundings)
  return 'mistakes' in result ? result.mistakes : []
}

const FULL = `
listen:
  http: "127.0.0.1:8081"
  sip: ["udp:127.0.0.1:5062", "tcp:[::1]:5062"]
media:
  engine: auto
  advertise: ["192.0.2.1"]
  webrtcPorts: "3480-3487"
  rtpPorts: "20000-20099"
store: embedded:./data
api: { token: file:token.txt, origins: ["https://phone.example.test"] }
tenants:
  - domain: Example.test
    aliases: [sip.example.test]
    users:
      - { name: alice, password: secret, displayName: Alice }
      - { name: bob, password: secret }
    trunks:
      - name: carrier
        targets: ["sip:127.0.0.1:5080", "sip:[2001:db8::1]:5060;transport=tcp"]
        accept: ["127.0.0.1"]
        auth: { username: me, password: env:CARRIER_PASSWORD }
        srtp: offer
      - { name: pbx, targets: ["sip:pbx.example.test"], accept: ["10.0.0.0/8"] }
    routes:
      - { prefix: "+", trunk: carrier }
      - { prefix: "00", trunk: carrier, strip: 2, prepend: "+" }
    numbers:
      - { number: "+15550100", to: "user:alice" }
      - { number: "+15550199", to: "trunk:pbx" }
    limits: { concurrentCalls: 5, ringSeconds: 30, maxCallSeconds: 60 }
`

describe('a good configuration', () => {
  test('is read whole, with secrets looked up and names in lower case', () => {
    const config = configOf(FULL)
    assert.deepEqual(config.listen.sip, [
      { transport: 'udp', host: '127.0.0.1', port: 5062 },
      { transport: 'tcp', host: '::1', port: 5062 },
    ])
    assert.deepEqual(config.media.rtpPorts, { from: 20_000, to: 20_099 })
    assert.equal(config.api.token?.reveal(), 'token-from-file')
    const [tenant] = config.tenants
    assert.equal(tenant?.domain, 'example.test')
    assert.equal(tenant?.trunks[0]?.auth?.password.reveal(), 'from-env')
    assert.equal(tenant?.trunks[1]?.srtp, 'accept')
    assert.deepEqual(tenant?.numbers[1], { number: '+15550199', to: { kind: 'trunk', name: 'pbx' } })
    assert.deepEqual(tenant?.limits, { concurrentCalls: 5, ringTimeoutMs: 30_000, maxCallDurationMs: 60_000 })
    assert.equal(config.demo, false)
  })

  test('says that store is kept for a later version', () => {
    assert.match(configOf(FULL).notices.join(), /store/)
  })

  test('cannot be changed afterwards', () => {
    const config = configOf(FULL)
    assert.throws(() => Object.assign(config.listen, { http: 'x' }), TypeError)
    assert.throws(() => Object.assign(config.tenants[0]?.limits ?? {}, { concurrentCalls: 9 }), TypeError)
  })

  for (const text of ['', '# nothing\n', 'tenants:\n', 'api:\nmedia:\n']) {
    test(`every key has a default: ${JSON.stringify(text)}`, () => {
      const config = configOf(text)
      assert.deepEqual(config.listen.http, { host: '127.0.0.1', port: 8080 })
      assert.equal(config.demo, true)
      assert.deepEqual(
        config.tenants.flatMap((tenant) => tenant.users.map((user) => user.name)),
        ['alice', 'bob', 'carol'],
      )
    })
  }
})

const tenant = (rest: string): string => `tenants:\n  - domain: a.test\n    ${rest}\n`
const trunk = (name: string, accept: string): string =>
  `{ name: ${name}, targets: ["sip:10.0.0.1"], accept: ["${accept}"] }`

const wrong: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
  ['an unknown key near a known one', 'lisen: {}', /^1:8 lisen: found an unknown key, .*\(did you mean listen\?\)$/],
  ['an unknown key near nothing', 'zebra: 1', /zebra: found an unknown key, expected one of: listen, tls, media/],
  ['a key of a list entry', tenant('users: [{ name: a, pasword: b }]'), /users\[0\]\.pasword.*did you mean password/],
  [
    'a missing key',
    tenant('users: [{ name: a }]'),
    /^3:13 tenants\[0\]\.users\[0\]\.password: found nothing, expected a pass/,
  ],
  [
    'an address without port',
    'listen: { http: "127.0.0.1" }',
    /^1:17 listen\.http: found "127\.0\.0\.1", expected an address/,
  ],
  ['a port that is too large', 'listen: { http: "127.0.0.1:65536" }', /listen\.http/],
  ['an unknown transport', 'listen: { sip: ["tls:127.0.0.1:5061"] }', /listen\.sip\[0\]: found "tls:127/],
  ['no SIP address at all', 'listen: { sip: [] }', /listen\.sip: found an empty list, expected at least one address/],
  [
    'an address listened on twice',
    'listen: { sip: ["udp:127.0.0.1:5060", "udp:127.0.0.1:5060"] }',
    /sip\[1\].*listen\.sip\[0\]/,
  ],
  [
    'HTTP on the default port of SIP',
    'listen: { http: "127.0.0.1:5060" }',
    /listen\.http: found .*listen\.sip\[1\] does not use/,
  ],
  [
    'HTTP and SIP on one TCP port',
    'listen: { http: "127.0.0.1:5060", sip: ["tcp:127.0.0.1:5060"] }',
    /listen\.sip\[0\] does not use/,
  ],
  [
    'an engine of a later version',
    'media: { engine: mediasoup }',
    /media\.engine: found "mediasoup", expected auto, native or portable/,
  ],
  ['a range that runs backwards', 'media: { rtpPorts: "300-200" }', /rtpPorts: found "300-200", expected a range/],
  ['a range of one odd port', 'media: { rtpPorts: 20001 }', /even port/],
  ['ranges that overlap', 'media: { rtpPorts: "3000-4000" }', /media\.rtpPorts.*media\.webrtcPorts does not touch/],
  ['SIP inside the media ports', 'listen: { sip: ["udp:127.0.0.1:20002"] }', /sip\[0\].*outside of the media ports/],
  [
    'a number without quotes',
    tenant('numbers: [{ number: +15550100, to: "user:a" }]'),
    /put it in quotes: "\+15550100"/,
  ],
  [
    'a password without quotes is not shown',
    tenant('users: [{ name: a, password: 12345 }]'),
    /found a number \(not shown\)/,
  ],
  [
    'an environment variable that is not set',
    tenant('users: [{ name: a, password: env:NOPE }]'),
    /variable NOPE to be set/,
  ],
  [
    'an empty environment variable',
    tenant('users: [{ name: a, password: env:EMPTY }]'),
    /EMPTY to be set and not empty/,
  ],
  ['a secret file that is not there', 'api: { token: file:nope.txt }', /readable file at nope\.txt \(no such file\)/],
  ['a short token', 'api: { token: abc }', /api\.token: found a string \(not shown\), expected a token of at least 8/],
  [
    'a user twice',
    tenant('users: [{ name: a, password: x }, { name: a, password: y }]'),
    /users\[1\]\.name: .*users\[0\]/,
  ],
  [
    'a domain twice',
    'tenants: [{ domain: a.test }, { domain: b.test, aliases: [A.test] }]',
    /aliases\[0\].*tenants\[0\]/,
  ],
  [
    'a route to nowhere',
    tenant(`trunks: [${trunk('carrier', '10.0.0.1')}]\n    routes: [{ prefix: "+", trunk: carier }]`),
    /routes\[0\]\.trunk: found "carier".*carrier \(did you mean carrier\?\)/,
  ],
  [
    'a number to nobody',
    tenant('numbers: [{ number: "1", to: "user:bob" }]'),
    /numbers\[0\]\.to: found "user:bob".*it has none/,
  ],
  [
    'a number to a strange thing',
    tenant('numbers: [{ number: "1", to: "bob" }]'),
    /expected "user:NAME" or "trunk:NAME"/,
  ],
  [
    'one source of two trunks',
    tenant(`trunks: [${trunk('a', '10.0.0.0/8')}, ${trunk('b', '10.1.2.3')}]`),
    /trunks\[1\]\.accept\[0\].*trunks\[0\] does not accept/,
  ],
  [
    'a target that is no SIP URI',
    tenant('trunks: [{ name: a, targets: ["http://x"] }]'),
    /targets\[0\]: found "http:\/\/x"/,
  ],
  ['a limit out of range', 'limits: { calls: 0 }', /limits\.calls: found 0, expected a whole number from 1 to 10000/],
  ['text that is not YAML', 'listen: [', /^1:\d+ found text that is not YAML/],
  ['a key twice', 'api: {}\napi: {}', /^2:1 found text that is not YAML: Map keys must be unique/],
  ['a list instead of a section', 'listen: [1]', /listen: found a list, expected keys: http, https, sip/],
  ['a text instead of everything', 'hello', /found "hello", expected keys: listen/],
]

describe('a mistake is named with its place, what was found and what was expected', () => {
  for (const [what, text, expected] of wrong) {
    test(what, () => {
      const lines = mistakesOf(text).map(mistakeText)
      assert.ok(
        lines.some((line) => expected.test(line)),
        lines.join('\n'),
      )
    })
  }

  test('all of them at once, in the order of the text', () => {
    const paths = mistakesOf(`
listen: { http: 5, sip: ["udp:127.0.0.1:5060", "nonsense"] }
medai: {}
tenants:
  - domain: a.test
    users: [{ name: "a b", password: "" }]
    routes: [{ prefix: "+", trunk: nowhere }]
`).map((mistake) => mistake.path)
    assert.deepEqual(paths, [
      'listen.http',
      'listen.sip[1]',
      'medai',
      'tenants[0].users[0].name',
      'tenants[0].users[0].password',
      'tenants[0].routes[0].trunk',
    ])
  })

  test('aliases that multiply without end are refused, not expanded', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(',')}]`)
    assert.match(
      mistakesOf(`a0: &a0 [x]\n${levels.join('\n')}\n`)
        .map(mistakeText)
        .join(),
      /alias/i,
    )
  })

  test('law: any text gives a configuration or mistakes, never an exception', () => {
    const fragment = fc.constantFrom(
      'listen',
      'tenants',
      ': ',
      '- ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '"',
      '&a',
      '*a',
      '+1',
      'domain',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(fragment, fc.string({ maxLength: 5 })), { maxLength: 40 }), (parts) => {
        const result = parseConfig(parts.join(''), surroundings)
        assert.ok('config' in result || result.mistakes.length > 0)
      }),
    )
  })
})

describe('TLS', () => {
  const files: Surroundings = { ...surroundings, readFile: () => 'PEM', locate: (path) => `/etc/trunkline/${path}` }
  const read = (text: string): readonly string[] => {
    const result = parseConfig(text, files)
    return 'mistakes' in result ? result.mistakes.map(mistakeText) : []
  }

  test('listeners as text and as section, certificates, and what a trunk needs', () => {
    const result = parseConfig(
      `
listen:
  https: "0.0.0.0:8443"
  sip:
    - "udp:127.0.0.1:5060"
    - { address: "tls:[::]:5061", advertise: "sip.example.test:5061", clientCertificates: request }
tls: { certificates: [{ cert: gw.pem, key: gw.key }], clientCa: ca.pem }
tenants:
  - domain: example.test
    trunks:
      - { name: sbc, targets: ["sips:sbc.test"], tls: { verify: none, accept: [SBC.test], names: ["*.sbc.test"] } }
`,
      files,
    )
    assert.ok('config' in result, JSON.stringify(result))
    const { listen, tls, tenants, notices } = result.config
    assert.deepEqual(listen.https, { host: '0.0.0.0', port: 8443 })
    assert.deepEqual(listen.sip, [
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      {
        transport: 'tls',
        host: '::',
        port: 5061,
        advertise: { host: 'sip.example.test', port: 5061 },
        clientCertificates: 'request',
      },
    ])
    assert.deepEqual(tls, {
      certificates: [{ cert: '/etc/trunkline/gw.pem', key: '/etc/trunkline/gw.key' }],
      minVersion: '1.2',
      clientCa: '/etc/trunkline/ca.pem',
      reloadMs: 30_000,
    })
    assert.deepEqual(tenants[0]?.trunks[0]?.tls, { verify: 'none', accept: ['sbc.test'], names: ['*.sbc.test'] })
    assert.deepEqual(notices, ['trunk sbc of example.test: its certificate is not verified (tls.verify: none)'])
  })

  const certificate = 'tls: { certificates: [{ cert: a, key: b }] }'
  const mistakes: readonly (readonly [what: string, text: string, mistake: RegExp])[] = [
    ['TLS without a certificate', 'listen: { sip: ["tls:127.0.0.1:5061"] }', /sip\[0\].*tls\.certificates/],
    ['https without a certificate', 'listen: { https: "127.0.0.1:8443" }', /https.*tls\.certificates/],
    [
      'an unknown key of a listener',
      'listen: { sip: [{ address: "udp:127.0.0.1:5060", advertized: a.test }] }',
      /sip\[0\]\.advertized.*did you mean advertise/,
    ],
    ['a bad address of a section', 'listen: { sip: [{ address: "sctp:127.0.0.1:5060" }] }', /sip\[0\]\.address/],
    ['a bad address alone', 'listen: { sip: ["sctp:127.0.0.1:5060"] }', /sip\[0\]: found "sctp.*udp:, tcp: or tls:/],
    [
      'clients that nobody can verify',
      `${certificate}\nlisten: { sip: [{ address: "tls:127.0.0.1:5061", clientCertificates: require }] }`,
      /clientCertificates.*tls\.clientCa/,
    ],
    [
      'client certificates over UDP',
      'listen: { sip: [{ address: "udp:127.0.0.1:5060", clientCertificates: require }] }',
      /clientCertificates.*only a tls:/,
    ],
    [
      'the port of another',
      `${certificate}\nlisten: { sip: ["tcp:127.0.0.1:5061", "tls:127.0.0.1:5061"] }`,
      /sip\[1\]/,
    ],
    [
      'a name of two trunks',
      'tenants: [{ domain: a.test, trunks: [{ name: a, targets: ["sip:a.test"], tls: { accept: [n.test] } }, ' +
        '{ name: b, targets: ["sip:b.test"], tls: { accept: [N.test] } }] }]',
      /trunks\[1\]\.tls\.accept\[0\].*trunks\[0\]/,
    ],
  ]
  for (const [what, text, mistake] of mistakes) {
    test(`a mistake is named: ${what}`, () => assert.match(read(text).join('\n'), mistake))
  }

  test('a file that is not there is named', () => {
    const result = parseConfig('tls: { certificates: [{ cert: gone.pem, key: gone.pem }] }', surroundings)
    assert.ok('mistakes' in result && result.mistakes.length === 2)
  })
})
