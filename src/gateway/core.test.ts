import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CoreRig, counting, digestAnswer, exampleTenant, header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }

/** Alice calls Bob over UDP and they talk. */
async function talking(rig: CoreRig, alice: RigPeer, bob: RigPeer) {
  await bob.register('bob', 'builder')
  await alice.call('alice', 'wonderland', 'bob')
  const invite = bob.take('INVITE')
  await bob.send(bob.response(invite, '180 Ringing'))
  alice.take('SIP/2.0 180')
  await bob.send(bob.response(invite, '200 OK', SDP, phoneSdp({ address: bob.flow.remote.host })))
  const answer = alice.take('SIP/2.0 200')
  await alice.send(alice.inDialog('ACK', answer))
  bob.take('ACK')
  const [call] = rig.core.calls()
  assert.equal(call?.state, 'talking')
  return { invite, answer, id: call.id }
}

describe('registration', () => {
  test('RFC 3261 §10.3: a user who proves the password is reachable', async () => {
    const rig = new CoreRig()
    const bob = rig.peer('198.51.100.7')
    await bob.register('bob', 'builder')
    assert.deepEqual(
      rig.core.registrations(rig.now).map(({ user, contact, expiresAt }) => [user, contact, expiresAt]),
      [['bob', 'sip:peer@198.51.100.7:5060', 600_000]],
    )
  })

  test('telephones are offered what the tenant says, browsers MD5 only: their stacks abort on others', async () => {
    const plain = new CoreRig()
    const modern = new CoreRig({ tenants: [{ ...exampleTenant(), digest: ['SHA-256', 'MD5'] }] })
    for (const [peer, algorithms] of [
      [plain.peer('198.51.100.7'), ['MD5']],
      [modern.peer('198.51.100.7'), ['SHA-256', 'MD5']],
      [modern.peer('198.51.100.8', 'ws', 40_000), ['MD5']],
    ] as const) {
      await peer.send(peer.request('REGISTER', 'sip:example.test', { To: '<sip:bob@example.test>' }))
      const challenges = peer.take('SIP/2.0 401').match(/algorithm=([\w-]+)/g)
      assert.deepEqual(
        challenges,
        algorithms.map((name) => `algorithm=${name}`),
      )
    }
  })

  const wrong: readonly (readonly [what: string, user: string, password: string, to: string, status: number])[] = [
    ['a wrong password', 'bob', 'guess', 'sip:bob@example.test', 401],
    ['an unknown user', 'mallory', 'guess', 'sip:mallory@example.test', 401],
    ['a right password for somebody else', 'alice', 'wonderland', 'sip:bob@example.test', 403],
  ]
  for (const [what, user, password, to, status] of wrong) {
    test(`${what} gets ${status} and registers nothing`, async () => {
      const count = counting()
      const rig = new CoreRig({ count })
      const peer = rig.peer('198.51.100.7')
      await peer.authenticated('REGISTER', 'sip:example.test', { user, password }, { To: `<${to}>` })
      peer.take(`SIP/2.0 ${status}`)
      assert.deepEqual(rig.core.registrations(rig.now), [])
      assert.equal(count.counts.get('auth failed') ?? 0, status === 401 ? 1 : 0)
    })
  }

  test('strangers cost no memory: their requests are answered and forgotten', async () => {
    const rig = new CoreRig()
    const peer = rig.peer('198.51.100.7')
    for (const [method, user, status] of [
      ['REGISTER', 'bob', 401],
      ['INVITE', 'bob', 407],
      ['OPTIONS', 'bob', 200],
      ['MESSAGE', 'bob', 407],
      ['SUBSCRIBE', 'bob', 401],
      ['PUBLISH', 'bob', 401],
      ['BYE', 'bob', 481],
    ] as const) {
      await peer.send(peer.request(method, `sip:${user}@example.test`, { To: `<sip:${user}@example.test>` }))
      peer.take(`SIP/2.0 ${status}`)
      assert.equal(rig.core.counts().transactions, 0, method)
    }
    assert.equal(rig.core.deadline(), undefined)
  })

  test('a domain that is nobody’s gets 404', async () => {
    const rig = new CoreRig()
    const peer = rig.peer('198.51.100.7')
    await peer.send(peer.request('REGISTER', 'sip:other.test', { To: '<sip:bob@other.test>' }))
    peer.take('SIP/2.0 404')
  })

  test('a nonce works once: the same REGISTER again is challenged as stale', async () => {
    const rig = new CoreRig()
    const peer = rig.peer('198.51.100.7')
    const who = { user: 'bob', password: 'builder', method: 'REGISTER', uri: 'sip:example.test' }
    const to = { To: '<sip:bob@example.test>', From: '<sip:bob@example.test>;tag=1' }
    await peer.send(peer.request('REGISTER', 'sip:example.test', to))
    const answer = digestAnswer(peer.take('SIP/2.0 401'), who)
    await peer.send(peer.request('REGISTER', 'sip:example.test', { ...to, ...answer }))
    peer.take('SIP/2.0 200')
    await peer.send(peer.request('REGISTER', 'sip:example.test', { ...to, ...answer }))
    assert.match(peer.take('SIP/2.0 401'), /stale=true/i)
  })

  test('a browser that vanished is not rung after the grace time', async () => {
    const rig = new CoreRig()
    const browser = rig.peer('198.51.100.9', 'ws', 40_000)
    await browser.register('bob', 'builder')
    rig.input({ kind: 'flow-closed', flowId: browser.flow.id })
    await rig.advance(10_001)
    assert.deepEqual(rig.core.registrations(rig.now), [])
    const alice = rig.peer('198.51.100.7')
    await alice.call('alice', 'wonderland', 'bob')
    alice.take('SIP/2.0 480')
  })
})

describe('requests outside a dialog', () => {
  const answers: readonly (readonly [method: string, uri: string, headers: Record<string, string>, status: number])[] =
    [
      ['OPTIONS', 'sip:example.test', {}, 200],
      ['OPTIONS', `sip:192.0.2.1`, {}, 200],
      ['OPTIONS', 'sip:example.test', { Require: 'nothing-we-know' }, 420],
      ['OPTIONS', 'sip:example.test', { Require: 'timer' }, 200],
      ['REGISTER', 'sip:example.test', { Require: 'gruu' }, 420],
      ['REGISTER', 'sip:example.test', { Require: 'path', To: '<sip:bob@example.test>' }, 401],
      ['OPTIONS', 'sip:other.test', {}, 404],
      ['OPTIONS', 'http://example.test', {}, 416],
      ['MESSAGE', 'sip:bob@example.test', {}, 407],
      ['MESSAGE', 'sip:bob@example.test', { From: '<sip:alice@other.test>;tag=1' }, 403],
      ['SUBSCRIBE', 'sip:bob@example.test', {}, 401],
      ['SUBSCRIBE', 'sip:bob@example.test', { To: '<sip:bob@example.test>;tag=gone' }, 481],
      ['PUBLISH', 'sip:bob@example.test', {}, 401],
      ['NOTIFY', 'sip:bob@example.test', {}, 481],
      ['REFER', 'sip:bob@example.test', {}, 405],
      ['FLY', 'sip:bob@example.test', {}, 501],
      ['BYE', 'sip:bob@example.test', {}, 481],
      ['BYE', 'sip:bob@example.test', { To: '<sip:bob@example.test>;tag=gone' }, 481],
      ['INVITE', 'sip:bob@example.test', { To: '<sip:bob@example.test>;tag=gone' }, 481],
      ['INVITE', 'sip:bob@example.test', { From: '<sip:alice@other.test>;tag=1' }, 403],
      ['INVITE', 'sip:bob@example.test', {}, 407],
    ]
  for (const [method, uri, headers, status] of answers) {
    test(`${method} ${uri} ${Object.values(headers).join()} is answered ${status}`, async () => {
      const rig = new CoreRig()
      const peer = rig.peer('198.51.100.7')
      await peer.send(peer.request(method, uri, headers))
      const answer = peer.take(`SIP/2.0 ${status}`)
      if ([200, 405, 501].includes(status)) assert.match(header(answer, 'Allow'), /INVITE, ACK, CANCEL, BYE/)
      assert.equal(rig.core.calls().length, 0)
      assert.deepEqual(
        rig.logged().filter(({ level }) => level === 'error'),
        [],
      )
    })
  }

  test('a user may not call in another user’s name', async () => {
    const rig = new CoreRig()
    const peer = rig.peer('198.51.100.7')
    const who = { user: 'alice', password: 'wonderland' }
    await peer.authenticated('INVITE', 'sip:bob@example.test', who, { From: '<sip:bob@example.test>;tag=1' })
    peer.take('SIP/2.0 403')
    assert.equal(rig.core.calls().length, 0)
  })
})

describe('calls', () => {
  test('between two users, to the record at the end', async () => {
    const count = counting()
    const rig = new CoreRig({ count })
    const [alice, bob] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7')]
    const { answer, id } = await talking(rig, alice, bob)
    await alice.send(alice.inDialog('BYE', answer))
    alice.take('SIP/2.0 200')
    await bob.send(bob.response(bob.take('BYE'), '200 OK'))
    await rig.settle()
    const ended = rig.outputs.find((output) => output.kind === 'call-ended')
    assert.equal(ended?.record.endedBy, 'caller')
    assert.equal(rig.core.call(id)?.state, 'ended')
    assert.equal(rig.engine.sessions().length, 0)
    assert.deepEqual(rig.core.counts().calls, 0)
    assert.equal(count.counts.get('ended 200'), 1)
    assert.deepEqual(
      rig.logged().filter(({ level }) => level === 'error'),
      [],
    )
  })

  test('the timeline has both legs’ messages in order, without secrets', async () => {
    const rig = new CoreRig()
    const { id } = await talking(rig, rig.peer('198.51.100.6'), rig.peer('198.51.100.7'))
    const timeline = rig.core.call(id)?.timeline ?? []
    const sip = timeline.flatMap((entry) =>
      entry.kind === 'sip' ? [`${entry.leg} ${entry.direction} ${entry.summary}`] : [],
    )
    for (const expected of [
      'a in INVITE sip:bob@example.test',
      'b1 out INVITE sip:peer@198.51.100.7:5060',
      'b1 in 180 Ringing (INVITE)',
      'a out 180 Ringing (INVITE)',
      'b1 in 200 OK (INVITE)',
      'b1 out ACK sip:peer@198.51.100.7:5060',
      'a out 200 OK (INVITE)',
    ]) {
      assert.ok(sip.includes(expected), `${expected}\namong\n${sip.join('\n')}`)
    }
    assert.deepEqual(
      timeline.map(({ seq }) => seq),
      timeline.map((_, i) => i + 1),
    )
    assert.ok(!JSON.stringify(timeline).includes('response='), 'digest answers are blanked')
  })

  test('the bounds on calls are answered with 503 and a time to try again', async () => {
    const limits = { concurrentCalls: 1, maxCallDurationMs: 3_600_000, ringTimeoutMs: 60_000 }
    const rig = new CoreRig({ tenants: [exampleTenant({ limits })] })
    const [alice, bob] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7')]
    await talking(rig, alice, bob)
    await alice.call('alice', 'wonderland', '*43')
    assert.equal(header(alice.take('SIP/2.0 503'), 'Retry-After'), '10')
  })

  test('draining refuses new calls and leaves those that are up', async () => {
    const rig = new CoreRig()
    const [alice, bob] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7')]
    const { id } = await talking(rig, alice, bob)
    rig.input({ kind: 'drain' })
    await alice.call('alice', 'wonderland', '*43')
    alice.take('SIP/2.0 503')
    assert.equal(rig.core.call(id)?.state, 'talking')
  })

  test('the API ends a call on both legs', async () => {
    const rig = new CoreRig()
    const [alice, bob] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7')]
    const { id } = await talking(rig, alice, bob)
    rig.input({ kind: 'end-call', call: id, reason: 'ended by the operator' })
    alice.take('BYE')
    bob.take('BYE')
  })

  test('quality of the engine is shown on the legs', async () => {
    const rig = new CoreRig()
    const { id } = await talking(rig, rig.peer('198.51.100.6'), rig.peer('198.51.100.7'))
    const [session] = rig.engine.sessions()
    const stream = { kind: 'audio', packetsReceived: 50, bytesReceived: 8_000, packetsLost: 1, jitterMs: 2 } as const
    const sent = { packetsSent: 49, bytesSent: 7_840, packetsDiscarded: 0 }
    rig.input({
      kind: 'media',
      event: { kind: 'quality', session: session?.id ?? '', sides: [{ side: 'a', media: [{ ...stream, ...sent }] }] },
    })
    const leg = rig.core.view(id)?.legs.find((each) => each.id === 'a')
    assert.deepEqual(leg?.media?.packetsReceived, 50)
  })
})

describe('forged requests', () => {
  const forgeries: readonly (readonly [what: string, change: (bye: string) => string])[] = [
    ['a wrong tag of ours', (bye) => bye.replace(/(To: .*;tag=)\S+/, '$1guess')],
    ['a wrong tag of the peer', (bye) => bye.replace(/(From: .*;tag=)\S+/, '$1guess')],
    ['a wrong Call-ID', (bye) => bye.replace(/Call-ID: .*/, 'Call-ID: guess')],
  ]
  for (const [what, change] of forgeries) {
    test(`a BYE with ${what} gets 481 and ends nothing`, async () => {
      const rig = new CoreRig()
      const [alice, bob, mallory] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7'), rig.peer('203.0.113.66')]
      const { answer, id } = await talking(rig, alice, bob)
      await mallory.send(change(mallory.inDialog('BYE', answer)))
      mallory.take('SIP/2.0 481')
      assert.equal(rig.core.call(id)?.state, 'talking')
      assert.deepEqual(bob.inbox, [])
    })
  }

  test('a browser’s dialog stays with its connection, or with one on which the same user registered', async () => {
    const rig = new CoreRig()
    const [browser, bob] = [rig.peer('198.51.100.9', 'ws', 40_000), rig.peer('198.51.100.7')]
    const { answer, id } = await talking(rig, browser, bob)
    const other = rig.peer('198.51.100.9', 'ws', 40_001)
    await other.send(other.inDialog('BYE', answer))
    other.take('SIP/2.0 407')
    assert.equal(rig.core.call(id)?.state, 'talking')
    await other.register('alice', 'wonderland')
    await other.send(other.inDialog('BYE', answer))
    other.take('SIP/2.0 200')
    bob.take('BYE')
  })
})

test('a page that reconnected and registered anew is reached there, in the middle of its call', async () => {
  const rig = new CoreRig()
  const [page, bob] = [rig.peer('198.51.100.9', 'ws', 40_000), rig.peer('198.51.100.7')]
  await page.register('alice', 'wonderland')
  const { id } = await talking(rig, page, bob)
  rig.input({ kind: 'flow-closed', flowId: page.flow.id })
  const anew = rig.peer('198.51.100.9', 'ws', 40_001)
  const contact = { Contact: '<sip:peer@198.51.100.9:40000>', Expires: '600' }
  await anew.authenticated('REGISTER', 'sip:example.test', { user: 'alice', password: 'wonderland' }, contact)
  rig.input({ kind: 'end-call', call: id, reason: 'ended by the operator' })
  anew.take('BYE')
})

test('a browser whose connection closes while it calls: nobody is rung any more', async () => {
  const rig = new CoreRig()
  const [page, bob] = [rig.peer('198.51.100.9', 'ws', 40_000), rig.peer('198.51.100.7')]
  await bob.register('bob', 'builder')
  await page.call('alice', 'wonderland', 'bob')
  const invite = bob.take('INVITE')
  await bob.send(bob.response(invite, '180 Ringing'))
  rig.input({ kind: 'flow-closed', flowId: page.flow.id })
  bob.take('CANCEL')
  await bob.send(bob.response(invite, '487 Request Terminated'))
  await rig.settle()
  assert.equal(rig.core.counts().calls, 0)
})

test('another tenant’s user of the same name is not rung', async () => {
  const rig = new CoreRig({ tenants: [exampleTenant(), { ...exampleTenant(), domain: 'other.test', trunks: [] }] })
  const [alice, bob] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7')]
  await bob.register('bob', 'builder')
  await alice.send(alice.request('INVITE', 'sip:bob@other.test', SDP, phoneSdp()))
  alice.take('SIP/2.0 404')
})

describe('a trunk that challenges', () => {
  async function challenged(realm: string) {
    const rig = new CoreRig()
    const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
    await alice.call('alice', 'wonderland', '+4930123456')
    const invite = carrier.take('INVITE')
    const challenge = { 'Proxy-Authenticate': `Digest realm="${realm}", nonce="n1", algorithm=MD5, qop="auth"` }
    await carrier.send(carrier.response(invite, '407 Proxy Authentication Required', challenge))
    return { rig, alice, carrier, invite, challenge }
  }

  test('gets its credentials once', async () => {
    const { alice, carrier, invite, challenge } = await challenged('carrier.test')
    const again = carrier.take('INVITE')
    assert.match(header(again, 'Proxy-Authorization'), /username="acct".*realm="carrier\.test"/)
    assert.equal(header(again, 'Call-ID'), header(invite, 'Call-ID'))
    await carrier.send(carrier.response(again, '407 Proxy Authentication Required', challenge))
    assert.ok(!carrier.inbox.some((message) => message.startsWith('INVITE')), 'a second challenge is not answered')
    assert.ok(alice.inbox.some((message) => /^SIP\/2\.0 [456]/.test(message)))
  })

  test('for another realm gets nothing', async () => {
    const { carrier } = await challenged('example.test')
    assert.ok(!carrier.inbox.some((message) => message.startsWith('INVITE')))
  })
})

describe('faults of ours', () => {
  /** Alice talks to Bob while the carrier's call waits for its media session. */
  async function two(count: ReturnType<typeof counting>) {
    const rig = new CoreRig({ count })
    const [alice, bob, carrier] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7'), rig.peer('203.0.113.5')]
    await alice.register('alice', 'wonderland')
    const { id, answer } = await talking(rig, alice, bob)
    const from = { From: '<sip:+4930123456@203.0.113.5>;tag=1', ...SDP }
    carrier.raw(carrier.request('INVITE', 'sip:+15550100@192.0.2.1', from, phoneSdp()))
    const opening = rig.outputs.findLast((output) => output.kind === 'media-open')
    assert.ok(opening)
    return { rig, alice, bob, carrier, id, answer, opening }
  }

  test('a call whose code fails ends alone, and its caller is told', async () => {
    const count = counting()
    const { rig, alice, carrier, id, answer, opening } = await two(count)
    // No engine answers so; it stands for whatever the call machine was not written for.
    rig.input({ kind: 'media-opened', call: opening.call, op: opening.op, opened: undefined as never })
    await rig.settle()
    assert.ok(
      carrier.inbox.some((message) => /^SIP\/2\.0 [456]\d\d/.test(message)),
      'the caller gets a final answer',
    )
    assert.equal(count.counts.get('INTERNAL'), 1)
    await rig.advance(170_000)
    assert.equal(rig.core.isLive(opening.call), false)
    assert.equal(rig.engine.sessions().length, 1, 'its media session does not outlive it')
    assert.equal(rig.core.call(id)?.state, 'talking')
    await alice.send(alice.inDialog('BYE', answer))
    alice.take('SIP/2.0 200')
  })
})
