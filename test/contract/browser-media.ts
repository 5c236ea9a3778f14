import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { contextsFromSdes, sdesKey } from '../../src/media/engines/portable/srtp/index.ts'
import type { LocalRtpSide, LocalRtpStream, LocalWebRtcSide, PayloadCodec, SdesKey } from '../../src/media/model.ts'
import { BrowserEnd, Inbox, medium, PCMU, rtpMedium, rtpPacket, UdpEnd } from '../support/media-peers.ts'
import { BOTH, call, hangUp, isAudio, payloadOf, TIMEOUT, until, type WithBench } from './browser-bench.ts'

const EVENT_8: PayloadCodec = { payloadType: 101, name: 'telephone-event', clockRateHz: 8_000, fmtp: '0-16' }

/** RTCP BYE for one SSRC after an empty receiver report (RFC 3550 §6.1). */
function bye(ssrc: number): Buffer {
  const out = Buffer.from('80c9000100000000' + '81cb000100000000', 'hex')
  out.writeUInt32BE(ssrc, 4)
  out.writeUInt32BE(ssrc, 12)
  return out
}

/** The packets of a compound one (RFC 3550 §6.1). */
function partsOf(compound: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at + 4 <= compound.length; ) {
    const end = at + 4 + 4 * compound.readUInt16BE(at + 2)
    parts.push(compound.subarray(at, end))
    at = end
  }
  return parts
}

/** What a browser and a phone hear of each other, and their RTCP. */
export function browserMediaContract(name: string, withEngine: WithBench): void {
  describe(`${name} engine, media`, () => {
    test('RFC 4733: a digit passes to the phone, and is told once', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active', [PCMU, EVENT_8])
        await until(talk.phone.received, (n) => {
          talk.browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 1 }))
        })
        const isEvent = (datagram: Buffer) => datagram.length >= 16 && ((datagram[1] ?? 0) & 0x7f) === 101
        const arrived = talk.phone.received.next((datagram) => isEvent(datagram) && ((datagram[13] ?? 0) & 0x80) !== 0)
        for (let n = 0; n < 5; n++) {
          const payload = Buffer.from([5, n < 2 ? 10 : 0x8a, 0, 0])
          payload.writeUInt16BE(160 * Math.min(3, n + 1), 2)
          const digit = { payloadType: 101, sequence: 1_000 + n, timestamp: 160_000, ssrc: 1, marker: n === 0, payload }
          talk.browser.sendRtp(rtpPacket(digit))
        }
        assert.equal((await arrived)[12], 5)
        const told = await bench.events.find((event) => event.kind === 'dtmf')
        assert.ok(told.kind === 'dtmf' && told.digit === '5' && told.side === 'a')
        assert.equal(bench.events.all.filter((event) => event.kind === 'dtmf').length, 1)
        hangUp(talk)
      })
    })

    test('the phone hears one stream, whoever is connected to it', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        const heard = new Inbox<Buffer>()
        talk.phone.onDatagram((datagram) => {
          if (isAudio(datagram)) heard.push(datagram)
        })
        await until(heard, (n) => talk.browser.sendRtp(rtpPacket({ sequence: 50 + n, timestamp: n * 160, ssrc: 1 })))
        const second = await BrowserEnd.open()
        const { sides } = await bench.engine.change('call', {
          kind: 'add-side',
          side: { kind: 'webrtc', id: 'c', media: ['audio'] },
        })
        const local = sides[0] as LocalWebRtcSide
        await bench.engine.change('call', { kind: 'remote', side: 'c', remote: second.remote('active') })
        await bench.engine.change('call', { kind: 'connect', side: 'c', to: { kind: 'side', side: 'b' } })
        await second.connect(local, 'active')
        const words = Buffer.alloc(160, 0x42)
        await until(
          heard,
          (n) => second.sendRtp(rtpPacket({ sequence: 40_000 + n, timestamp: 7 + n * 160, ssrc: 99, payload: words })),
          (packet) => payloadOf(packet).equals(words),
        )
        heard.all.forEach((packet, index) => {
          const previous = heard.all[index - 1]
          assert.equal(packet.readUInt32BE(8), talk.rtp.ssrc)
          if (previous === undefined) return
          assert.equal(packet.readUInt16BE(2), (previous.readUInt16BE(2) + 1) & 0xffff)
          const step = (packet.readUInt32BE(4) - previous.readUInt32BE(4)) >>> 0
          assert.ok(step > 0 && step < 8_000 * 5, `a step of ${step} ticks`)
        })
        second.close()
        hangUp(talk)
      })
    })

    test('hold: nothing goes to a side that may not be sent to, nor from one that may not send', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        await until(talk.phone.received, (n) => {
          talk.browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 1 }))
        })
        const held = [rtpMedium(talk.phone, { send: false, receive: false })]
        await bench.engine.change('call', { kind: 'remote', side: 'b', remote: { kind: 'rtp', media: held } })
        const loud = Buffer.alloc(160, 1)
        const soft = Buffer.alloc(160, 2)
        for (let n = 0; n < 5; n++) {
          talk.browser.sendRtp(rtpPacket({ sequence: 5_000 + n, timestamp: 800_000 + n * 160, ssrc: 1, payload: loud }))
          talk.phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 2, payload: loud }), talk.rtp.port)
        }
        await talk.browser.check(talk.webrtc) // Answered after what was sent before it.
        const resumed = [rtpMedium(talk.phone)]
        await bench.engine.change('call', { kind: 'remote', side: 'b', remote: { kind: 'rtp', media: resumed } })
        await until(
          talk.phone.received,
          (n) =>
            talk.browser.sendRtp(
              rtpPacket({ sequence: 5_100 + n, timestamp: 816_000 + n * 160, ssrc: 1, payload: soft }),
            ),
          (datagram) => isAudio(datagram) && payloadOf(datagram).equals(soft),
        )
        const all = [...talk.phone.received.all, ...talk.browser.rtp.all]
        assert.ok(!all.some((packet) => payloadOf(packet).equals(loud)))
        hangUp(talk)
      })
    })

    test('RTCP: reports go to each peer for its own stream, on the RTCP port without rtcp-mux', TIMEOUT, async () => {
      await withEngine(async (bench) => {
        const talk = await call(bench, 'active')
        const rtcp = await UdpEnd.open()
        const media = [rtpMedium(talk.phone, { rtcpMux: false, rtcpPort: rtcp.port })]
        await bench.engine.change('call', { kind: 'remote', side: 'b', remote: { kind: 'rtp', media } })
        let n = 0
        const timer = setInterval(() => {
          talk.browser.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 1 }))
          talk.phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 2 }), talk.rtp.port)
          n++
          bench.advance(100)
        }, 10)
        const isSenderReport = (packet: Buffer) => packet[1] === 200
        const toPhone = await rtcp.received.find(isSenderReport)
        const toBrowser = await talk.browser.rtcp.find(isSenderReport)
        clearInterval(timer)
        assert.equal(toPhone.readUInt32BE(4), talk.rtp.ssrc)
        assert.equal(toBrowser.readUInt32BE(4), talk.webrtc.media[0]?.ssrc)
        rtcp.close()
        hangUp(talk)
      })
    })

    test('RTCP BYE is the end only when silence follows', TIMEOUT, async () => {
      await withEngine(
        async (bench) => {
          const talk = await call(bench, 'active')
          await until(talk.browser.rtp, (n) => {
            talk.phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 2 }), talk.rtp.port)
          })
          talk.phone.send(bye(2), talk.rtp.port)
          const { phone, rtp } = talk
          await until(talk.browser.rtp, (n) =>
            phone.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 3 }), rtp.port),
          )
          bench.advance(1_500)
          const quality = await bench.events.next((event) => event.kind === 'quality' || event.kind === 'silent')
          assert.ok(quality)
          assert.ok(!bench.events.all.some((event) => event.kind === 'ended'))
          const ended = bench.events.next((event) => event.kind === 'ended' && event.side === 'b')
          const again = setInterval(() => {
            phone.send(bye(3), rtp.port)
            bench.advance(300)
          }, 10)
          await ended
          clearInterval(again)
          hangUp(talk)
        },
        { qualityMs: 1_000 },
      )
    })
  })

  describe(`${name} engine, SDES-SRTP`, () => {
    for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const) {
      test(`${suite} toward the phone, both ways; forged packets teach nothing`, TIMEOUT, async () => {
        await withEngine(async ({ engine }) => {
          const phone = await UdpEnd.open()
          const thief = await UdpEnd.open()
          const { sides } = await engine.open({ id: 'call', sides: BOTH.sides.slice(1) })
          const stream = (sides[0] as LocalRtpSide).media[0] as LocalRtpStream
          const ours = sdesKey(suite, 1)
          const local = stream.crypto.find((key) => key.suite === suite) as SdesKey
          const media = [rtpMedium(phone, { srtp: { local, remote: ours } })]
          await engine.change('call', { kind: 'remote', side: 'b', remote: { kind: 'rtp', media } })
          await engine.change('call', { kind: 'connect', side: 'b', to: { kind: 'echo' } })
          for (let n = 0; n < 8; n++) {
            thief.send(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 5 }), stream.port, '127.0.0.1')
          }
          const context = contextsFromSdes(ours, local)
          const payload = Buffer.alloc(160, 0x17)
          const back = await until(phone.received, (n) => {
            const sealed = context.send.protectRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 5, payload }))
            if (sealed !== undefined) phone.send(sealed, stream.port)
          })
          const opened = context.receive.unprotectRtp(back)
          assert.ok(opened)
          assert.deepEqual(payloadOf(opened), payload)
          const [side] = await engine.stats('call')
          assert.equal(side?.srtpSuite, suite)
          assert.equal(side?.remote, `127.0.0.1:${phone.port}`)
          assert.ok((side?.media[0]?.packetsDiscarded ?? 0) >= 8)
          phone.close()
          thief.close()
        })
      })
    }
  })

  describe(`${name} engine, audio and video in one bundle`, () => {
    const VP8: PayloadCodec = { payloadType: 96, name: 'VP8', clockRateHz: 90_000 }

    test('each medium finds its partner, and a wish for a key frame finds the camera', TIMEOUT, async () => {
      await withEngine(async ({ engine }) => {
        const [one, two] = [await BrowserEnd.open(), await BrowserEnd.open()]
        const { sides } = await engine.open({
          id: 'call',
          sides: ['a', 'b'].map((id) => ({ kind: 'webrtc' as const, id, media: ['audio', 'video'] as const })),
        })
        const [a, b] = sides as [LocalWebRtcSide, LocalWebRtcSide]
        const media = [
          medium([PCMU], { mid: '0', midExtensionId: 4 }),
          medium([VP8], { kind: 'video', mid: '1', midExtensionId: 4 }),
        ]
        await engine.change('call', { kind: 'remote', side: 'a', remote: one.remote('active', media) })
        await engine.change('call', { kind: 'remote', side: 'b', remote: two.remote('passive', media) })
        await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b' } })
        await Promise.all([one.connect(a, 'active'), two.connect(b, 'passive')])
        const picture = await until(
          two.rtp,
          (n) => {
            one.sendRtp(rtpPacket({ sequence: n, timestamp: n * 160, ssrc: 10 }))
            one.sendRtp(rtpPacket({ payloadType: 96, sequence: n, timestamp: n * 3_000, ssrc: 20, marker: true }))
          },
          (packet) => ((packet[1] ?? 0) & 0x7f) === 96,
        )
        assert.equal(picture.readUInt32BE(8), b.media[1]?.ssrc)
        assert.equal(picture.readUInt16BE(12), 0xbede, 'the media identification')
        const pli = Buffer.from('81ce0002' + '00000000' + '00000000', 'hex')
        pli.writeUInt32BE(b.media[1]?.ssrc ?? 0, 8)
        const asked = one.rtcp.next((compound) => partsOf(compound).some((part) => part[1] === 206))
        two.sendRtcp(pli)
        const request = partsOf(await asked).find((part) => part[1] === 206)
        assert.equal(request?.readUInt32BE(8), 20, 'for the SSRC of the camera')
        one.close()
        two.close()
      })
    })
  })
}
