import { Secret } from '../../src/base/index.ts'
import type {
  LocalSide,
  MediaEngine,
  RemoteMedium,
  RemoteSide,
  SdesKey,
  SideSpec,
  SrtpSuite,
} from '../../src/media/index.ts'
import type { CallWish, EndPlace, EndWish, OpenCall, PortPolicy } from '../load/index.ts'

const PCMU = { payloadType: 0, name: 'PCMU', clockRateHz: 8_000 } as const

/** Opens a call on an engine of ours, as a gateway would after offer and answer. */
export async function openCall(
  engine: Pick<MediaEngine, 'open' | 'change'>,
  wish: CallWish,
  ports: PortPolicy,
): Promise<OpenCall> {
  const [first, second] = wish.ends
  const { sides } = await engine.open({ id: wish.id, sides: [specOf('a', first, ports), specOf('b', second, ports)] })
  const [a, b] = sides
  if (a === undefined || b === undefined) throw new Error('the engine opened fewer sides than asked for')
  await engine.change(wish.id, { kind: 'remote', side: 'a', remote: remoteOf(first, a) })
  await engine.change(wish.id, { kind: 'remote', side: 'b', remote: remoteOf(second, b) })
  await engine.change(wish.id, { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b' } })
  return { wish, places: [placeOf(first, a), placeOf(second, b)] }
}

function specOf(id: string, end: EndWish, ports: PortPolicy): SideSpec {
  if (end.webrtc !== undefined) return { kind: 'webrtc', id, media: ['audio'] }
  return { kind: 'rtp', id, media: ['audio'], towards: end.at.address, ports }
}

function remoteOf(end: EndWish, local: LocalSide): RemoteSide {
  const medium: RemoteMedium = {
    kind: 'audio',
    active: true,
    send: true,
    receive: true,
    sendCodecs: [PCMU],
    receiveCodecs: [PCMU],
  }
  if (end.webrtc !== undefined) {
    const { ufrag, pwd, fingerprint } = end.webrtc
    const fingerprints = [{ algorithm: 'sha-256', value: fingerprint }]
    return { kind: 'webrtc', ice: { ufrag, pwd }, dtls: { role: 'active', fingerprints }, media: [medium] }
  }
  const { address, port } = end.at
  const place = { address, port, rtcpAddress: address, rtcpPort: port, rtcpMux: true }
  if (end.key === undefined) return { kind: 'rtp', media: [{ ...medium, ...place }] }
  const remote: SdesKey = { tag: 1, suite: end.key.suite as SrtpSuite, key: new Secret(end.key.key) }
  return { kind: 'rtp', media: [{ ...medium, ...place, srtp: { local: sdesOf(local, end), remote } }] }
}

function placeOf(end: EndWish, local: LocalSide): EndPlace {
  if (local.kind === 'webrtc') {
    const { ice, fingerprint } = local
    const candidate = local.candidates.find(({ protocol }) => protocol === 'udp')
    if (candidate === undefined) throw new Error('the engine gave no UDP candidate')
    const relay = { address: candidate.address, port: candidate.port }
    return { relay, webrtc: { ufrag: ice.ufrag, pwd: ice.pwd, fingerprint } }
  }
  const medium = local.media[0]
  if (medium === undefined) throw new Error('the engine gave no port')
  const relay = { address: medium.address, port: medium.port }
  if (end.key === undefined) return { relay }
  const { suite, key } = sdesOf(local, end)
  return { relay, key: { suite, key: key.reveal() } }
}

/** The engine's own key of the suite the end has chosen. */
function sdesOf(local: LocalSide, end: EndWish): SdesKey {
  const keys = local.kind === 'rtp' ? local.media[0]?.crypto : undefined
  const found = keys?.find(({ suite }) => suite === end.key?.suite)
  if (found === undefined) throw new Error(`the engine has no key of ${end.key?.suite ?? 'any suite'}`)
  return found
}
