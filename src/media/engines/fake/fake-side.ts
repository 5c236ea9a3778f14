import { type IdSource, Secret } from '../../../base/index.ts'
import type {
  ConnectedTo,
  LocalRtpStream,
  LocalSide,
  LocalStream,
  MediumKind,
  RemoteSide,
  SideSpec,
  SideStats,
} from '../../model.ts'

/** One side as the fake engine remembers it. */
export interface FakeSide {
  readonly spec: SideSpec
  local: LocalSide
  remote?: RemoteSide
  to: ConnectedTo
  muted: boolean
  /** Sent to its peer so far. */
  digits: string
  stats: SideStats
  /** RTP ports this side holds (the RTCP port is the next one). */
  readonly ports: readonly number[]
}

/** What a side is made of. */
export interface SideMaker {
  readonly ids: IdSource
  readonly address: string
  readonly webrtcPort: number
}

/** Makes plausible facts for a side; `ports` has one RTP port per medium of a plain RTP side. */
export function makeSide(spec: SideSpec, ports: readonly number[], maker: SideMaker): FakeSide {
  const local = spec.kind === 'webrtc' ? webRtcFacts(spec, maker) : rtpFacts(spec, ports, maker)
  return { spec, local, to: { kind: 'nothing' }, muted: false, digits: '', stats: freshStats(spec), ports }
}

/** New ICE credentials; everything else stays. */
export function withNewIce(local: LocalSide, ids: IdSource): LocalSide {
  return local.kind === 'webrtc' ? { ...local, ice: credentials(ids) } : local
}

function webRtcFacts(spec: SideSpec & { kind: 'webrtc' }, maker: SideMaker): LocalSide {
  const { ids, address, webrtcPort: port } = maker
  return {
    kind: 'webrtc',
    id: spec.id,
    ice: credentials(ids),
    candidates: [{ foundation: '1', protocol: 'udp', priority: 2_130_706_431, address, port }],
    fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
    media: streams(spec.media, ids),
  }
}

function rtpFacts(spec: SideSpec & { kind: 'rtp' }, ports: readonly number[], { ids, address }: SideMaker): LocalSide {
  const media = streams(spec.media, ids).map((stream, index): LocalRtpStream => {
    const port = ports[index] ?? 0
    return { ...stream, address, port, rtcpPort: port + 1, crypto: sdesKeys(ids) }
  })
  return { kind: 'rtp', id: spec.id, media }
}

function streams(media: readonly MediumKind[], ids: IdSource): LocalStream[] {
  const cname = ids.token(80)
  return media.map((kind) => ({ kind, ssrc: number32(ids), cname }))
}

function credentials(ids: IdSource): { ufrag: string; pwd: string; lite: true } {
  return { ufrag: ids.token(40), pwd: ids.token(128), lite: true }
}

function sdesKeys(ids: IdSource): LocalRtpStream['crypto'] {
  return [
    { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', key: new Secret(base64(ids, 30)) },
    { tag: 2, suite: 'AEAD_AES_128_GCM', key: new Secret(base64(ids, 28)) },
  ]
}

function base64(ids: IdSource, bytes: number): string {
  const text = ids
    .token(bytes * 8)
    .slice(0, bytes)
    .padEnd(bytes, '0')
  return Buffer.from(text, 'latin1').toString('base64')
}

function number32(ids: IdSource): number {
  return Number.parseInt(ids.token(40).slice(-6), 36) >>> 0
}

function freshStats(spec: SideSpec): SideStats {
  const media = spec.media.map((kind) => ({
    kind,
    packetsReceived: 0,
    bytesReceived: 0,
    packetsLost: 0,
    jitterMs: 0,
    packetsSent: 0,
    bytesSent: 0,
    packetsDiscarded: 0,
  }))
  return { side: spec.id, media, ...(spec.kind === 'webrtc' ? { ice: 'new', dtls: 'new' } : {}) }
}

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 1).toString(16).padStart(2, '0').toUpperCase()).join(':')
