import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CALL_CONFIG } from '../../test/support/call-rig.ts'
import { CoreRig, exampleTenant, header } from '../../test/support/core-rig.ts'
import {
  ALICE,
  again,
  ask,
  bodyOf,
  notified,
  type Subscribing,
  subscribe,
  versionOf,
  watchedScene,
  watchedTenant,
} from '../../test/support/watcher.ts'

const fewer = ({ rig }: { rig: CoreRig }) => ({
  subscriptions: rig.core.kept().subscriptions,
  transactions: rig.core.counts().transactions,
})

describe('SUBSCRIBE (RFC 6665 §4.2.1)', () => {
  test('is answered with its time, and followed by a NOTIFY with the state in the same dialog', async () => {
    const { carol } = watchedScene()
    const { answer, first } = await subscribe(carol, { event: 'dialog;id=7' })
    assert.equal(header(answer, 'Expires'), '600')
    assert.match(header(answer, 'Contact'), /^<sip:/)
    assert.match(first, /^NOTIFY sip:peer@198\.51\.100\.8:5060 SIP\/2\.0/)
    assert.equal(header(first, 'Event'), 'dialog;id=7')
    assert.equal(header(first, 'Subscription-State'), 'active;expires=600')
    assert.equal(header(first, 'Content-Type'), 'application/dialog-info+xml')
    assert.equal(header(first, 'From'), header(answer, 'To'))
    assert.equal(header(first, 'To'), header(answer, 'From'))
    assert.equal(header(first, 'Call-ID'), header(answer, 'Call-ID'))
    assert.match(
      bodyOf(first),
      /<dialog-info [^>]*version="0" state="full" entity="sip:bob@example\.test">\s*<\/dialog-info>/,
    )
  })

  const refused: readonly (readonly [
    what: string,
    how: Subscribing,
    status: number,
    told?: readonly [string, string],
  ])[] = [
    ['an event nobody knows', { event: 'weather' }, 489, ['Allow-Events', 'dialog, message-summary, presence, reg']],
    ['no event', { event: '' }, 489, ['Allow-Events', 'dialog, message-summary, presence, reg']],
    ['a user that is not there', { to: 'nobody' }, 404],
    ['a forbidden look into another’s mailbox', { event: 'message-summary' }, 403],
    ['a forbidden look at another’s devices', { event: 'reg' }, 403],
    ['a time too short', { headers: { Expires: '5' } }, 423, ['Min-Expires', '30']],
    ['only what we do not write', { headers: { Accept: 'text/html' } }, 406, ['Accept', 'application/dialog-info+xml']],
    ['another’s name', { headers: { From: '<sip:bob@example.test>;tag=x' } }, 403],
    ['no way back', { headers: { Contact: '*' } }, 400],
    ['a route that leads nowhere', { headers: { 'Record-Route': '<sip:@>;tag' } }, 400],
  ]
  for (const [what, how, status, told] of refused) {
    test(`with ${what} is answered ${status}, and nothing is kept`, async () => {
      const { rig, carol } = watchedScene()
      await ask(carol, how)
      const answer = carol.take(`SIP/2.0 ${status}`)
      if (told !== undefined) assert.equal(header(answer, told[0]), told[1])
      assert.equal(rig.core.kept().subscriptions, 0)
      assert.deepEqual(carol.inbox, [])
    })
  }

  test('a user of another tenant cannot watch: 404, and a trunk cannot: 403', async () => {
    const other = { ...exampleTenant(), domain: 'other.test', trunks: [], numbers: [] }
    const rig = new CoreRig({ tenants: [watchedTenant(), other] })
    const [spy, carrier] = [rig.peer('198.51.100.66'), rig.peer('203.0.113.5')]
    const from = { From: '<sip:alice@other.test>;tag=spy', Event: 'dialog' }
    await spy.send(spy.request('SUBSCRIBE', 'sip:bob@example.test', from))
    spy.take('SIP/2.0 404')
    const asCarrier = { From: '<sip:+1555@carrier.test>;tag=c', Event: 'dialog' }
    await carrier.send(carrier.request('SUBSCRIBE', 'sip:+15550100@192.0.2.1', asCarrier))
    carrier.take('SIP/2.0 403')
  })

  test('with Expires 0 asks once: one NOTIFY, and it is over (§4.4.3)', async () => {
    const all = watchedScene()
    const { first } = await subscribe(all.carol, { headers: { Expires: '0' } })
    assert.equal(header(first, 'Subscription-State'), 'terminated;reason=timeout')
    await all.rig.advance(40_000)
    assert.deepEqual(fewer(all), { subscriptions: 0, transactions: 0 })
    assert.equal(all.rig.core.deadline(), undefined)
  })

  test('asks for longer than we grant, or for no time at all: an hour', async () => {
    const { carol } = watchedScene()
    const { answer } = await subscribe(carol, { headers: { Expires: '86400' } })
    assert.equal(header(answer, 'Expires'), '3600')
  })

  test('over one of several listeners is answered with the Contact of that one', async () => {
    const own = ['192.0.2.1', '10.0.0.1'].map((host) => {
      const address = { host, port: 5060 }
      return { transport: 'udp' as const, local: address, advertised: address }
    })
    const rig = new CoreRig({ tenants: [watchedTenant()], call: { ...CALL_CONFIG, own } })
    const inside = rig.peer('10.0.0.8')
    Object.assign(inside.flow, { local: { host: '10.0.0.1', port: 5060 } })
    const { answer, first } = await subscribe(inside)
    assert.equal(header(answer, 'Contact'), '<sip:10.0.0.1:5060>')
    assert.equal(header(first, 'Contact'), '<sip:10.0.0.1:5060>')
  })

  test('a refresh prolongs it and is told everything; the dialog takes the new Contact', async () => {
    const { rig, carol } = watchedScene()
    const { answer } = await subscribe(carol)
    await rig.advance(500_000)
    await again(carol, answer, { Expires: '600', Contact: '<sip:moved@198.51.100.8:5060>' })
    assert.equal(header(carol.take('SIP/2.0 200'), 'Expires'), '600')
    const notify = await notified(carol)
    assert.match(notify, /^NOTIFY sip:moved@198\.51\.100\.8:5060 /)
    assert.equal(versionOf(notify), '1 full')
    await rig.advance(500_000)
    assert.equal(rig.core.kept().subscriptions, 1)
  })

  test('that is not refreshed ends with a NOTIFY that says so', async () => {
    const all = watchedScene()
    await subscribe(all.carol)
    await all.rig.advance(600_000)
    const last = await notified(all.carol)
    assert.equal(header(last, 'Subscription-State'), 'terminated;reason=timeout')
    await all.rig.advance(40_000)
    assert.deepEqual(fewer(all), { subscriptions: 0, transactions: 0 })
  })

  test('Expires 0 inside the dialog ends it; after that the dialog is not there', async () => {
    const { rig, carol } = watchedScene()
    const { answer } = await subscribe(carol)
    await again(carol, answer, { Expires: '0' })
    carol.take('SIP/2.0 200')
    assert.equal(header(await notified(carol), 'Subscription-State'), 'terminated;reason=timeout')
    assert.equal(rig.core.kept().subscriptions, 0)
    await carol.send(carol.inDialog('SUBSCRIBE', answer, { Event: 'dialog' }))
    carol.take('SIP/2.0 481')
  })

  const wrongRefreshes: readonly (readonly [
    what: string,
    headers: Record<string, string>,
    status: number,
    who?: typeof ALICE,
  ])[] = [
    ['in another user’s name', { From: '<sip:alice@example.test>;tag=x' }, 403, ALICE],
    ['of another event', { Event: 'presence' }, 481],
    ['with another tag', { From: '<sip:carol@example.test>;tag=other' }, 481],
    ['that is too brief', { Expires: '3' }, 423],
    ['that is late', { CSeq: '0 SUBSCRIBE' }, 500],
  ]
  for (const [what, headers, status, who] of wrongRefreshes) {
    test(`a refresh ${what} gets ${status} and changes nothing`, async () => {
      const { rig, carol } = watchedScene()
      const { answer } = await subscribe(carol)
      await again(carol, answer, headers, who)
      carol.take(`SIP/2.0 ${status}`)
      assert.deepEqual(carol.inbox, [])
      assert.equal(rig.core.kept().subscriptions, 1)
    })
  }

  test('when the gateway ends every watcher is told to ask again later', async () => {
    const { rig, carol } = watchedScene()
    await subscribe(carol)
    rig.input({ kind: 'farewell' })
    assert.equal(header(await notified(carol), 'Subscription-State'), 'terminated;reason=probation;retry-after=10')
    assert.equal(rig.core.kept().subscriptions, 0)
  })

  test('one user’s subscriptions are bounded: 503', async () => {
    const { rig, carol } = watchedScene()
    for (let n = 0; n < 200; n++) await subscribe(carol)
    await ask(carol, {})
    assert.equal(header(carol.take('SIP/2.0 503'), 'Retry-After'), '60')
    assert.equal(rig.core.kept().subscriptions, 200)
  })
})

describe('a NOTIFY that fails (RFC 6665 §4.2.2)', () => {
  test('with 481 ends the subscription', async () => {
    const all = watchedScene()
    await ask(all.carol, {})
    all.carol.take('SIP/2.0 200')
    await notified(all.carol, '481 Subscription Does Not Exist')
    assert.equal(all.rig.core.kept().subscriptions, 0)
  })

  test('by silence ends it, and no transaction or timer stays', async () => {
    const all = watchedScene()
    await ask(all.carol, {})
    await all.rig.advance(70_000)
    assert.deepEqual(fewer(all), { subscriptions: 0, transactions: 0 })
    assert.equal(all.rig.core.deadline(), undefined)
  })

  test('with a request to try again later does not', async () => {
    const all = watchedScene()
    await ask(all.carol, {})
    await notified(all.carol, '503 Service Unavailable', { 'Retry-After': '5' })
    assert.equal(all.rig.core.kept().subscriptions, 1)
  })

  test('because the browser’s connection is gone ends it', async () => {
    const { rig, alice, bob } = watchedScene()
    const page = rig.peer('198.51.100.9', 'ws', 40_000)
    await subscribe(page)
    rig.input({ kind: 'flow-closed', flowId: page.flow.id })
    await bob.register('bob', 'builder')
    await alice.call('alice', 'wonderland', 'bob')
    const lost = rig.outputs.findLast((output) => output.kind === 'send' && output.data.startsWith('NOTIFY'))
    assert.ok(lost?.kind === 'send' && lost.sendId > 0)
    rig.input({ kind: 'send-failed', sendId: lost.sendId, cause: 'closed' })
    assert.equal(rig.core.kept().subscriptions, 0)
  })
})
