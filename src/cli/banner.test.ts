import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoConfig } from '../config/index.ts'
import { type BannerFacts, banner } from './banner.ts'

const facts: BannerFacts = {
  version: '1.2.3',
  config: demoConfig('127.0.0.1', () => 'pa55word'),
  http: { host: '127.0.0.1', port: 8081 },
  sip: [
    { transport: 'udp', host: '127.0.0.1', port: 5060 },
    { transport: 'tcp', host: '::1', port: 5060 },
  ],
  sipPath: '/sip',
  media: 'native, 2 threads, io batch (recvmmsg)',
  apiToken: 'the-token',
  apiTokenIsNew: true,
  notes: ['port 8080 is taken, the page is on 8081'],
}

for (const [what, expected] of [
  ['where the page is', /http:\/\/127\.0\.0\.1:8081\//],
  ['the WebSocket', /ws:\/\/127\.0\.0\.1:8081\/sip/],
  ['the SIP addresses', /udp 127\.0\.0\.1:5060, tcp \[::1\]:5060/],
  ['the accounts', /alice +password pa55word[\s\S]*bob +password pa55word[\s\S]*carol/],
  ['what to dial', /\*43.*\*41/],
  ['what moves the media', /Media +native, 2 threads, io batch \(recvmmsg\)/],
  ['what a firewall must let through', /TCP 8081.*UDP 5060.*TCP 5060.*UDP 3480-3487 and TCP 3480 .*UDP 20000-29999/],
  ['the token for the API', /the-token/],
  ['what is unusual', /Note: port 8080 is taken/],
] as const) {
  test(`the banner tells ${what}`, () => assert.match(banner(facts), expected))
}

test('passwords and tokens of a file are not shown', () => {
  const config = { ...facts.config, demo: false }
  const text = banner({ ...facts, config, apiTokenIsNew: false })
  assert.doesNotMatch(text, /pa55word|the-token/)
})
