import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  isCertificateName,
  isDomain,
  isNetwork,
  isTrunkTarget,
  parseAdvertised,
  parseHostPort,
  parsePortRange,
} from './syntax.ts'

function table(what: string, check: (text: string) => boolean, good: readonly string[], bad: readonly string[]): void {
  describe(what, () => {
    for (const text of good) test(`takes ${text}`, () => assert.equal(check(text), true))
    for (const text of bad) test(`refuses ${JSON.stringify(text)}`, () => assert.equal(check(text), false))
  })
}

table(
  'address and port',
  (text) => parseHostPort(text) !== undefined,
  ['127.0.0.1:0', '0.0.0.0:65535', '[::1]:8080', 'localhost:80'],
  ['', ':80', '127.0.0.1', '::1:80', '[127.0.0.1]:80', '300.0.0.1:80', 'host:80', '127.0.0.1:65536', '127.0.0.1:x'],
)
table(
  'port range',
  (text) => parsePortRange(text) !== undefined,
  ['1-65535', '3480', '20000 - 20001'],
  ['', '0', '0-10', '10-9', '1-65536', 'a-b', '1-2-3'],
)
table(
  'network',
  isNetwork,
  ['192.0.2.1', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32'],
  ['', 'example.test', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '2001:db8::/129'],
)
table('domain', isDomain, ['example.test', 'a', '192.0.2.1'], ['', '.', 'a..b', '-a.test', 'a_b.test', 'a b'])
table(
  'trunk target',
  isTrunkTarget,
  [
    'sip:192.0.2.1',
    'sip:pbx.test:5080;transport=tcp',
    'sip:[2001:db8::1]:5060',
    'sips:a.test',
    'sip:a.test;transport=tls',
  ],
  ['', 'sip:user@a.test', 'sip:a.test:0', 'sips:a.test;transport=udp', 'sip:a.test;transport=ws', 'sip:2001:db8::1'],
)
table(
  'advertised address',
  (text) => parseAdvertised(text) !== undefined,
  ['203.0.113.7', '203.0.113.7:5070', 'sip.example.test', 'sip.example.test:5061', '2001:db8::1', '[2001:db8::1]:5060'],
  ['', '203.0.113.7:0', '203.0.113.7:70000', '[203.0.113.7]:5060', 'sip:a.test', 'a b'],
)
table('certificate name', isCertificateName, ['sbc.test', '*.sbc.test'], ['', '*', 'a.*.test', 'sbc test'])
