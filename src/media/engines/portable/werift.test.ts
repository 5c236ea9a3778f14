import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpPacket } from 'werift'
import { medium, PCMU } from '../../../../test/support/media-peers.ts'
import { seededIds } from '../../../base/index.ts'
import type { LocalWebRtcSide, RemoteWebRtcSide } from '../../model.ts'
import { createPortableEngine } from './index.ts'

/** Another implementation of ICE, DTLS and SRTP than ours, as the browser. */
for (const role of ['active', 'passive'] as const) {
  test(`werift as ${role} browser hears its own echo`, { timeout: 20_000 }, async () => {
    const engine = await createPortableEngine({
      advertise: ['127.0.0.1'],
      webrtcPorts: { from: 0, to: 0 },
      rtpPorts: { from: 30_900, to: 30_901 },
      ids: seededIds(7),
    })
    const peer = new RTCPeerConnection({
      codecs: { audio: [new RTCRtpCodecParameters({ mimeType: 'audio/PCMU', clockRate: 8_000, channels: 1 })] },
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
    })
    const track = new MediaStreamTrack({ kind: 'audio' })
    const heard = new Promise<Buffer>((resolve) => {
      peer.onTrack.subscribe((remote) => {
        remote.onReceiveRtp.subscribe((rtp) => resolve(rtp.payload))
      })
    })
    peer.addTransceiver(track, { direction: 'sendrecv' })
    await peer.setLocalDescription(await peer.createOffer())
    const { sides } = await engine.open({ id: 'call', sides: [{ kind: 'webrtc', id: 'a', media: ['audio'] }] })
    const remote = remoteOf(peer.localDescription?.sdp ?? '', role)
    await engine.change('call', { kind: 'remote', side: 'a', remote })
    await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'echo' } })
    const sdp = answer(sides[0] as LocalWebRtcSide, role)
    await peer.setRemoteDescription({ type: 'answer', sdp })
    const payload = randomBytes(160)
    let n = 0
    const timer = setInterval(() => {
      track.writeRtp(RtpPacket.deSerialize(packet(n++, payload)))
    }, 20)
    assert.deepEqual(await heard, payload)
    clearInterval(timer)
    await peer.close()
    await engine.stop()
  })
}

function packet(n: number, payload: Buffer): Buffer {
  const header = Buffer.from('800000000000000000001234', 'hex')
  header.writeUInt16BE(n, 2)
  header.writeUInt32BE(n * 160, 4)
  return Buffer.concat([header, payload])
}

function remoteOf(offer: string, role: 'active' | 'passive'): RemoteWebRtcSide {
  const line = (name: string) => new RegExp(`a=${name}:(.*)`).exec(offer)?.[1]?.trim() ?? ''
  const [algorithm = '', value = ''] = line('fingerprint').split(' ')
  return {
    kind: 'webrtc',
    ice: { ufrag: line('ice-ufrag'), pwd: line('ice-pwd') },
    dtls: { role, fingerprints: [{ algorithm, value }] },
    media: [medium([PCMU])],
  }
}

function answer({ ice, fingerprint, candidates, media }: LocalWebRtcSide, role: 'active' | 'passive'): string {
  const [stream] = media
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=ice-lite',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${role === 'active' ? 'passive' : 'active'}`,
    'a=rtcp-mux',
    'a=rtpmap:0 PCMU/8000',
    'a=sendrecv',
    `a=ssrc:${stream?.ssrc} cname:${stream?.cname}`,
    ...candidates.map(
      ({ foundation, priority, address, port }) =>
        `a=candidate:${foundation} 1 udp ${priority} ${address} ${port} typ host`,
    ),
    'a=end-of-candidates',
    '',
  ].join('\r\n')
}
