import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { LocalRtpSide, LocalWebRtcSide, SessionSpec } from '../../src/media/model.ts'
import { BrowserEnd, Inbox, rtpMedium, rtpPacket, UdpEnd } from '../support/media-peers.ts'
import { freePairs } from '../support/port-range.ts'
import { BOTH, call, hangUp, isAudio, payloadOf, TIMEOUT, until, type WithBench } from './browser-bench.ts'
import { reached } from './phones.ts'

/** A browser and a phone, with real ICE, DTLS and SRTP over loopback. */
export function browserCallContract(name: string, withEngine: WithBench): void {
  describe(`${name} engine, browser to phone`, () => {
    for (const role of ['active', 'passive'] as const) {
      test(`audio flows both ways when the browser is ${role}`, TIMEOUT, async () => {
        await withEngine(async (bench) => {
          const talk = await call(bench, role)
          const words = randomBytes(160)
          const atPhone = await until(talk.phone.received, (n) => {
            talk.browser.sendRtp(rtpPacket({ sequence: 100 + n, timestamp: n * 160, ssrc: 0x1111, payload: words }))
          })
          assert.deepEqual(payloadOf(atPhone), words)
          assert.equal(atPhone.readUInt32BE(8), talk.rtp.ssrc)

          const answer = randomBytes(160)
          const atBrowser = await until(talk.browser.rtp, (n) => {
            talk.phone.send(
              rtpPacket({ sequence: 9 + n, timestamp: n * 160, ssrc: 0x2222, payload: answer }),
              talk.rtp.port,
            )
          })
          assert.deepEqual(payloadOf(atBrowser), answer)
          assert.equal(atBrowser.readUInt32BE(8), talk.webrtc.media[0]?.ssrc)

          await bench.events.find((event) => event.kind === 'first-packet' && event.side === 'b')
          const kinds = bench.events.all.filter((event) => event.kind !== 'quality').map((event) => event.kind)
          assert.deepEqual(kinds, ['ice-connected', 'dtls-connected', 'first-packet', 'first-packet'])
          const summary = await bench.engine.close('call')
          const [a, b] = summary.sides
          assert.equal(a?.dtls, 'connected')
          assert.equal(a?.srtpSuite, 'AEAD_AES_128_GCM')
          assert.ok((a?.media[0]?.packetsReceived ?? 0) > 0 && (a?.media[0]?.packetsSent ?? 0) > 0)
          assert.equal(b?.media[0]?.codec, 'PCMU')
          hangUp(talk)
        })
      })
    }

    test('a wrong fingerprint fails the side and no media passes', TIMEOUT, async () => {
      await withEngine(async ({ engine, events }) => {
        const browser = await BrowserEnd.open()
        const stranger = await BrowserEnd.open()
        const { sides } = await engine.open(BOTH)
        const webrtc = sides[0] as LocalWebRtcSide
        await engine.change('call', { kind: 'remote', side: 'a', remote: stranger.remote('active') })
        await browser.check(webrtc)
        browser.startDtls(webrtc, 'active')
        const failed = await events.find((event) => event.kind === 'failed')
        assert.ok(failed.kind === 'failed' && failed.side === 'a' && /fingerprint/.test(failed.detail))
        assert.equal((await engine.stats('call'))[0]?.dtls, 'failed')
        // TLS lets the client finish before the server has judged its certificate; what it sends then is not taken.
        for (let n = 0; n < 5; n++) browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 1 }))
        await browser.check(webrtc) // Answered after what was sent before it.
        assert.equal((await engine.stats('call'))[0]?.media[0]?.packetsReceived, 0)
        browser.close()
        stranger.close()
      })
    })

    test('a hello that overtakes the answer waits for it', TIMEOUT, async () => {
      await withEngine(async ({ engine, events }) => {
        const browser = await BrowserEnd.open()
        const { sides } = await engine.open(BOTH)
        const webrtc = sides[0] as LocalWebRtcSide
        await browser.check(webrtc)
        browser.startDtls(webrtc, 'active')
        await browser.check(webrtc) // The answer to a later check proves that the hello has arrived.
        await engine.change('call', { kind: 'remote', side: 'a', remote: browser.remote('active') })
        await events.find((event) => event.kind === 'dtls-connected')
        await browser.ends.find((end) => end === 'connected')
        browser.close()
      })
    })

    test('DTLS and media from an address without a check never get through', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        const elsewhere = await UdpEnd.open()
        talk.browser.sendRtp(
          rtpPacket({ sequence: 1, timestamp: 0, ssrc: 0x1111, payload: Buffer.alloc(160, 1) }),
          elsewhere,
        )
        const payload = Buffer.alloc(160, 2)
        const first = await until(talk.phone.received, (n) => {
          talk.browser.sendRtp(rtpPacket({ sequence: 2 + n, timestamp: n * 160, ssrc: 0x1111, payload }))
        })
        assert.deepEqual(payloadOf(first), payload)
        elsewhere.close()
        hangUp(talk)
      })
    })

    test('a nominated new address is followed at once', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        const mobile = await UdpEnd.open()
        talk.browser.listen(mobile)
        assert.equal(await talk.browser.check(talk.webrtc, { from: mobile, nominate: true }), 0)
        const side = (await bench.engine.stats('call'))[0]
        assert.equal(side?.remote, `127.0.0.1:${mobile.port}`)
        const before = talk.browser.udp.received.all.length
        await until(talk.browser.rtp, (n) => {
          talk.phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 0x2222 }), talk.rtp.port)
        })
        assert.equal(
          talk.browser.udp.received.all.slice(before).filter((datagram) => (datagram[0] ?? 0) >= 128).length,
          0,
        )
        mobile.close()
        hangUp(talk)
      })
    })

    test('an ICE restart keeps media, takes both credentials, then only the new ones', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        const { sides } = await bench.engine.change('call', { kind: 'restart-ice', side: 'a' })
        const renewed = sides[0] as LocalWebRtcSide
        assert.notEqual(renewed.ice.ufrag, talk.webrtc.ice.ufrag)
        assert.deepEqual(renewed.fingerprint, talk.webrtc.fingerprint)
        assert.equal(await talk.browser.check(talk.webrtc), 0)
        assert.equal(await talk.browser.check(renewed), 0)
        const successes = () => talk.browser.answers.all.filter((status) => status === 0).length
        const before = successes()
        void talk.browser.check(talk.webrtc) // Answered with 401 or not at all.
        for (const expected of [1, 2]) {
          void talk.browser.check(renewed)
          await reached(async () => successes() >= before + expected)
        }
        assert.equal(successes(), before + 2)
        await until(talk.browser.rtp, (n) => {
          talk.phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 0x2222 }), talk.rtp.port)
        })
        hangUp(talk)
      })
    })

    test('a renegotiation that repeats or turns the DTLS role keeps the association', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        for (const role of ['active', 'passive'] as const) {
          await bench.engine.change('call', { kind: 'remote', side: 'a', remote: talk.browser.remote(role) })
          await until(talk.phone.received, (n) => {
            talk.browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: role === 'active' ? 1 : 2 }))
          })
        }
        assert.equal(bench.events.all.filter((event) => event.kind === 'dtls-connected').length, 1)
        assert.equal(talk.browser.ends.all.length, 1)
        hangUp(talk)
      })
    })

    test('without consent media stops, a check brings it back', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        bench.advance(31_000)
        await bench.events.find((event) => event.kind === 'ice-disconnected')
        assert.equal((await bench.engine.stats('call'))[0]?.ice, 'disconnected')
        const back = bench.events.next((event) => event.kind === 'ice-connected')
        await talk.browser.check(talk.webrtc)
        await back
        hangUp(talk)
      })
    })

    test('close_notify is reported as the end', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        talk.browser.goodbye()
        await bench.events.find((event) => event.kind === 'ended' && event.side === 'a')
        hangUp(talk)
      })
    })

    test('silence is told once, and its end', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        await until(talk.phone.received, (n) => {
          talk.browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 0x1111 }))
        })
        bench.advance(6_000)
        const silent = await bench.events.find((event) => event.kind === 'silent' && event.side === 'a')
        assert.ok(silent.kind === 'silent' && silent.forMs >= 5_000)
        const resumed = bench.events.find((event) => event.kind === 'resumed' && event.side === 'a')
        await until(talk.phone.received, (n) => {
          talk.browser.sendRtp(rtpPacket({ sequence: 500 + n, timestamp: 500_000 + n * 160, ssrc: 0x1111 }))
        })
        await resumed
        assert.equal(bench.events.all.filter((event) => event.kind === 'silent' && event.side === 'a').length, 1)
        hangUp(talk)
      })
    })
  })

  describe(`${name} engine, a phone alone`, () => {
    const ALONE: SessionSpec = { id: 'call', sides: [{ kind: 'rtp', id: 'a', media: ['audio'], towards: '127.0.0.1' }] }

    test('echo sends back what comes, as one stream of ours', TIMEOUT, async () => {
      await withEngine(async ({ engine }) => {
        const phone = await UdpEnd.open()
        const { sides } = await engine.open(ALONE)
        const [stream] = (sides[0] as LocalRtpSide).media
        assert.ok(stream)
        assert.equal(stream.address, '127.0.0.1')
        assert.equal(stream.port % 2, 0)
        assert.equal(stream.rtcpPort, stream.port + 1)
        await engine.change('call', { kind: 'remote', side: 'a', remote: { kind: 'rtp', media: [rtpMedium(phone)] } })
        await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'echo' } })
        const payload = randomBytes(160)
        const back = await until(phone.received, (n) => {
          phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 1, payload }), stream.port)
        })
        assert.deepEqual(payloadOf(back), payload)
        assert.equal(back.readUInt32BE(8), stream.ssrc)
        phone.close()
      })
    })

    test('a tone comes in an even flow without anything being sent', TIMEOUT, async () => {
      await withEngine(async ({ engine }) => {
        const phone = await UdpEnd.open()
        const tone = new Inbox<Buffer>()
        phone.onDatagram((datagram) => {
          if (isAudio(datagram)) tone.push(datagram)
        })
        await engine.open(ALONE)
        await engine.change('call', { kind: 'remote', side: 'a', remote: { kind: 'rtp', media: [rtpMedium(phone)] } })
        const to = { kind: 'tone', frequencyHz: 1_004 } as const
        await engine.change('call', { kind: 'connect', side: 'a', to })
        await tone.find(() => tone.all.length >= 10)
        tone.all.slice(1, 10).forEach((packet, index) => {
          const previous = tone.all[index]
          assert.ok(previous)
          assert.equal(packet.readUInt16BE(2), (previous.readUInt16BE(2) + 1) & 0xffff)
          assert.equal(packet.readUInt32BE(4), (previous.readUInt32BE(4) + 160) >>> 0)
        })
        phone.close()
      })
    })

    test('media from another IP address is discarded and counted', TIMEOUT, async () => {
      await withEngine(async ({ engine }) => {
        const phone = await UdpEnd.open()
        const attacker = await UdpEnd.open('127.0.0.2')
        const { sides } = await engine.open(ALONE)
        const port = (sides[0] as LocalRtpSide).media[0]?.port ?? 0
        await engine.change('call', { kind: 'remote', side: 'a', remote: { kind: 'rtp', media: [rtpMedium(phone)] } })
        await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'echo' } })
        for (let n = 0; n < 10; n++) {
          attacker.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 9 }), port, '127.0.0.1')
        }
        const back = await until(phone.received, (n) => {
          phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 1 }), port)
        })
        assert.ok(isAudio(back))
        assert.equal(attacker.received.all.length, 0)
        const [side] = await engine.stats('call')
        assert.ok((side?.media[0]?.packetsDiscarded ?? 0) >= 10)
        assert.equal(side?.remote, `127.0.0.1:${phone.port}`)
        phone.close()
        attacker.close()
      })
    })
  })

  describe(`${name} engine, hostile input`, () => {
    test('garbage to every port changes nothing', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        const noise = await UdpEnd.open()
        const candidate = talk.webrtc.candidates[0]?.port ?? 0
        for (let n = 0; n < 500; n++) {
          const garbage = randomBytes(1 + ((n * 7) % 200))
          garbage[0] = n % 256
          for (const port of [candidate, talk.rtp.port, talk.rtp.rtcpPort]) {
            noise.send(garbage, port)
            talk.phone.send(garbage, port)
            talk.browser.udp.send(garbage, port)
          }
        }
        const payload = randomBytes(160)
        const atPhone = await until(
          talk.phone.received,
          (n) => talk.browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 0x1111, payload })),
          (packet) => isAudio(packet) && payloadOf(packet).equals(payload),
        )
        assert.equal(atPhone.readUInt32BE(8), talk.rtp.ssrc)
        assert.ok(!bench.events.all.some((event) => event.kind === 'failed' || event.kind === 'ended'))
        noise.close()
        hangUp(talk)
      })
    })

    test('pairs of ports run out with a clear code, and come back after their rest', TIMEOUT, async () => {
      const spec = (id: string): SessionSpec => ({ id, sides: [{ kind: 'rtp', id: 'a', media: ['audio'] }] })
      const rtpPorts = await freePairs(2)
      await withEngine(
        async ({ engine, advance }) => {
          await engine.open(spec('1'))
          await engine.open(spec('2'))
          await assert.rejects(engine.open(spec('3')), { code: 'MEDIA_PORTS_EXHAUSTED' })
          await engine.close('1')
          await assert.rejects(engine.open(spec('3')), { code: 'MEDIA_PORTS_EXHAUSTED' })
          advance(30_000)
          assert.equal((await engine.open(spec('3'))).sides.length, 1)
        },
        { rtpPorts },
      )
    })

    test('a port that somebody else holds is passed over', TIMEOUT, async () => {
      const other = await UdpEnd.open()
      const from = other.port - (other.port % 2)
      await withEngine(
        async ({ engine }) => {
          const { sides } = await engine.open({ id: 'call', sides: [{ kind: 'rtp', id: 'a', media: ['audio'] }] })
          assert.notEqual((sides[0] as LocalRtpSide).media[0]?.port, from)
        },
        { rtpPorts: { from: from - 6, to: from + 1 } },
      )
      other.close()
    })
  })
}
