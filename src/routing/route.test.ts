import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../base/index.ts'
import { createDirectory, type Tenant } from '../tenancy/index.ts'
import { type Contact, type Party, type RouteDecision, route } from './index.ts'

const tenant: Tenant = {
  domain: 'one.test',
  aliases: [],
  users: ['alice', 'bob', 'd.j.', '+15551', '10-01'].map((name) => ({ name, password: new Secret('x') })),
  trunks: [
    { name: 'carrier', targets: ['sip:192.0.2.1:5080', 'sip:192.0.2.2;transport=tcp'], accept: [], srtp: 'offer' },
    { name: 'pbx', targets: ['sip:pbx.test'], accept: [], srtp: 'never' },
  ],
  routes: [
    { prefix: '+', trunk: 'carrier', strip: 0, prepend: '' },
    { prefix: '0', trunk: 'carrier', strip: 1, prepend: '+49' },
    { prefix: '+1800', trunk: 'pbx', strip: 0, prepend: '' },
    { prefix: '#31#', trunk: 'pbx', strip: 0, prepend: '' },
    { prefix: '9', trunk: 'pbx', strip: 1, prepend: '' },
  ],
  numbers: [
    { number: '+15550100', to: { kind: 'user', name: 'alice' } },
    { number: '+15550199', to: { kind: 'trunk', name: 'pbx' } },
  ],
  limits: { concurrentCalls: 1, maxCallDurationMs: 1, ringTimeoutMs: 1 },
}

const target = { kind: 'address', transport: 'udp', to: { host: '192.0.2.9', port: 5060 } } as const
const contact = (uri: string): Contact => ({ uri, target, profile: 'rtp', path: [] })
const contacts: Readonly<Record<string, readonly Contact[]>> = {
  alice: [contact('sip:alice@a'), contact('sip:alice@b')],
  'd.j.': [contact('sip:dj@a')],
  '10-01': [contact('sip:desk@a')],
}

const user: Party = { kind: 'user', tenant: 'one.test', user: 'bob' }
const trunk: Party = { kind: 'trunk', tenant: 'one.test', trunk: 'carrier' }

const decide = (caller: Party, dialled: string): RouteDecision =>
  route({
    directory: createDirectory([tenant]),
    tenant,
    caller,
    user: dialled,
    contactsOf: (_, name) => contacts[name] ?? [],
  })

/** A decision in short: what is rung, group by group. */
function told(decision: RouteDecision): string {
  if (decision.kind === 'refuse') return `${decision.status} ${decision.code}`
  if (decision.kind === 'builtin') return decision.builtin
  return decision.groups.map((group) => group.map((each) => each.uri).join(' & ')).join(' then ')
}

const cases: readonly (readonly [who: string, caller: Party, dialled: string, result: string])[] = [
  ['a user', user, '*43', 'echo'],
  ['a user', user, '%2A41', 'tone'],
  ['a user', user, 'alice', 'sip:alice@a & sip:alice@b'],
  ['a user', user, 'bob', '480 USER_UNAVAILABLE'],
  ['a user', user, 'd.j.', 'sip:dj@a'],
  ['a user', user, 'nobody', '404 ROUTE_NOT_FOUND'],
  [
    'a user',
    user,
    '+1 (555) 010-9999',
    'sip:+15550109999@192.0.2.1:5080 then sip:+15550109999@192.0.2.2;transport=tcp',
  ],
  ['a user', user, '+15559;phone-context=x', 'sip:+15559@192.0.2.1:5080 then sip:+15559@192.0.2.2;transport=tcp'],
  ['a user', user, '030123', 'sip:+4930123@192.0.2.1:5080 then sip:+4930123@192.0.2.2;transport=tcp'],
  ['a user', user, '+18005551', 'sip:+18005551@pbx.test'],
  ['a user', user, '10-01', 'sip:desk@a'],
  ['a user', user, '%2331%23555', 'sip:%2331%23555@pbx.test'],
  ['a user', user, '9', '404 ROUTE_NOT_FOUND'],
  ['a user', user, '', '404 ROUTE_NOT_FOUND'],
  ['a trunk', trunk, '+1-555-0100', 'sip:alice@a & sip:alice@b'],
  ['a trunk', trunk, '+15550199', 'sip:+15550199@pbx.test'],
  ['a trunk', trunk, '+15559', '404 ROUTE_NOT_FOUND'],
  ['a trunk', trunk, 'alice', '404 ROUTE_NOT_FOUND'],
  ['a trunk', trunk, '*43', '404 ROUTE_NOT_FOUND'],
]

for (const [who, caller, number, result] of cases) {
  test(`${who} that dials ${number} gets ${result}`, () => assert.equal(told(decide(caller, number)), result))
}
