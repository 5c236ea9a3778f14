import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { replaces, type Talk, TransferScene } from '../../test/support/transfer-scene.ts'

const SDP = { 'Content-Type': 'application/sdp' }

describe('RFC 5589 §7: attended transfer of two calls of ours', () => {
  /** Alice talks with Bob and with Carol. */
  async function consulting(scene: TransferScene) {
    const first = await scene.aliceAndBob()
    const second = await scene.call([scene.alice, 'alice', 'wonderland'], [scene.carol, 'carol'])
    return { first, second }
  }

  /** RTP of one session is sent to the ports of the other one. */
  function areLinked(scene: TransferScene): boolean {
    const sides = scene.rig.engine.sessions().flatMap((session) => session.sides)
    const told = sides.flatMap(({ local }) => (local.kind === 'rtp' ? local.media.map(({ port }) => port) : []))
    const sent = sides.flatMap(({ remote }) => (remote?.kind === 'rtp' ? remote.media.map(({ port }) => port) : []))
    return sent.filter((port) => told.includes(port)).length === 2
  }

  const clients: readonly (readonly [who: string, referTo: (talk: Talk) => string, headers: Record<string, string>])[] =
    [
      [
        'JsSIP',
        (talk) => `<sip:carol@example.test?Replaces=${encodeURIComponent(replaces(talk))}>`,
        { 'Referred-By': '<sip:alice@example.test>' },
      ],
      [
        'JsSIP, of a call that came to it (it swaps the tags)',
        (talk) => {
          const [id = '', to = '', from = ''] = replaces(talk).split(/;(?:to|from)-tag=/)
          return `<sip:carol@example.test?Replaces=${encodeURIComponent(`${id};to-tag=${from};from-tag=${to}`)}>`
        },
        {},
      ],
      [
        'SIP.js',
        (talk) => {
          const contact = /<([^>]+)>/.exec(header(talk.from, 'Contact'))?.[1] ?? ''
          return `<${contact}?Replaces=${encodeURIComponent(replaces(talk))}>`
        },
        { 'Referred-By': '<sip:alice@example.test>' },
      ],
      [
        'baresip',
        (talk) => `<sip:carol@example.test?Replaces=${replaces(talk).replace(/;/g, '%3B').replace(/=/g, '%3D')}>`,
        { 'Referred-By': 'sip:alice@example.test' },
      ],
    ]
  for (const [who, referTo, headers] of clients) {
    test(`${who}: the two others talk, and the transferor is out of both calls`, async () => {
      const scene = await new TransferScene().register()
      const { alice, bob, carol } = scene
      const { first, second } = await consulting(scene)
      await scene.refer(first.caller, referTo(second.caller), headers)
      alice.take('SIP/2.0 202')
      await scene.notified(alice, '100 Trying', /^active/)
      await scene.notified(alice, '200 OK', /^terminated/)
      await scene.agree(alice, 'BYE')
      await scene.agree(alice, 'BYE')
      assert.deepEqual(alice.inbox, [])
      assert.deepEqual([bob.inbox, carol.inbox], [[], []])
      assert.ok(areLinked(scene))
      await bob.send(bob.inDialog('BYE', first.callee.from))
      bob.take('SIP/2.0 200')
      await scene.agree(carol, 'BYE')
      await scene.over()
    })
  }

  test('those who were on hold are resumed', async () => {
    const scene = await new TransferScene().register()
    const { alice, bob, carol } = scene
    const first = await scene.aliceAndBob()
    const hold = phoneSdp({ version: 2, direction: 'sendonly' })
    await alice.send(alice.inDialog('INVITE', first.caller.from, SDP, hold))
    const held = bob.take('INVITE')
    const inactive = phoneSdp({ address: '198.51.100.8', version: 2, direction: 'recvonly' })
    await bob.send(bob.response(held, '200 OK', SDP, inactive))
    bob.take('ACK')
    await alice.send(alice.inDialog('ACK', alice.take('SIP/2.0 200')))
    const second = await scene.call([alice, 'alice', 'wonderland'], [carol, 'carol'])
    await scene.refer(first.caller, `<sip:carol@example.test?Replaces=${encodeURIComponent(replaces(second.caller))}>`)
    const resumed = bob.take('INVITE')
    assert.match(resumed, /a=sendrecv/)
    await bob.send(bob.response(resumed, '200 OK', SDP, phoneSdp({ address: '198.51.100.8', version: 3 })))
    bob.take('ACK')
    assert.ok(areLinked(scene))
  })

  test('a dialog of another tenant or of nobody is not joined', async () => {
    const scene = await new TransferScene().register()
    const { first } = await consulting(scene)
    await scene.refer(first.caller, `<sip:carol@example.test?Replaces=${encodeURIComponent(replaces(first.caller))}>`)
    await scene.notified(scene.alice, '100', /^active/)
    await scene.notified(scene.alice, '481', /^terminated/)
  })
})
