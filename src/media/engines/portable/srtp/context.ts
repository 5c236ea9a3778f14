import { GatewayError } from '../../../../base/index.ts'
import { ReplayWindow } from '../replay-window.ts'
import { headerLength, isRtp } from '../rtp/packet.ts'
import { GcmProtection } from './gcm-protection.ts'
import { HmacProtection } from './hmac-protection.ts'
import { deriveKey, LABEL } from './key-derivation.ts'
import type { SrtpContext, SrtpCounters, SrtpOptions } from './model.ts'
import { packetIndex } from './packet-index.ts'
import { type Protection, RTCP_HEADER_BYTES } from './protection.ts'
import { parametersOf } from './suite.ts'

/**
 * Makes one direction of SRTP under one master key.
 *
 * @throws GatewayError `MEDIA_SPEC_INVALID`: key or salt of the wrong length.
 */
export function createSrtpContext(options: SrtpOptions): SrtpContext {
  const { suite, keyLength, saltLength } = parametersOf(options.suite)
  if (options.masterKey.length !== keyLength || options.masterSalt.length !== saltLength) {
    throw new GatewayError(
      'MEDIA_SPEC_INVALID',
      `${suite} takes a key of ${keyLength} and a salt of ${saltLength} bytes`,
    )
  }
  return new KeyedContext(options)
}

class KeyedContext implements SrtpContext {
  readonly suite: SrtpOptions['suite']
  readonly counters: SrtpCounters = { failed: 0, replayed: 0 }
  readonly #protection: Protection
  readonly #rtp: SourceTable
  readonly #rtcp: SourceTable

  constructor(options: SrtpOptions) {
    this.suite = options.suite
    this.#protection = protectionOf(options)
    const limit = options.ssrcLimit ?? (options.direction === 'send' ? SENT_SSRC_LIMIT : SSRC_LIMIT)
    this.#rtp = new SourceTable(limit)
    this.#rtcp = new SourceTable(limit)
  }

  protectRtp(packet: Buffer): Buffer | undefined {
    const headerBytes = headerLength(packet)
    if (headerBytes === undefined) return undefined
    const ssrc = packet.readUInt32BE(8)
    const seen = this.#rtp.of(ssrc) ?? this.#rtp.addForEver(ssrc)
    const index = seen && packetIndex(seen.highest, packet.readUInt16BE(2))
    if (seen === undefined || index === undefined || !seen.isNew(index)) return undefined
    seen.add(index)
    return this.#protection.sealRtp(packet, headerBytes, ssrc, index)
  }

  unprotectRtp(packet: Buffer): Buffer | undefined {
    const headerBytes = isRtp(packet) ? headerLength(packet) : undefined
    if (headerBytes === undefined || headerBytes + this.#protection.rtpOverhead > packet.length) {
      return this.#refuse('failed')
    }
    const ssrc = packet.readUInt32BE(8)
    const seen = this.#rtp.of(ssrc)
    const index = packetIndex(seen?.highest ?? -1, packet.readUInt16BE(2))
    if (index === undefined || seen?.isNew(index) === false) return this.#refuse('replayed')
    const opened = this.#protection.openRtp(packet, headerBytes, ssrc, index)
    if (opened === undefined) return this.#refuse('failed')
    // Only what is authentic may make or move state (RFC 3711 §3.3).
    const authentic = seen ?? this.#rtp.add(ssrc)
    authentic.add(index)
    return opened
  }

  protectRtcp(packet: Buffer): Buffer | undefined {
    if (packet.length < RTCP_HEADER_BYTES) return undefined
    const ssrc = packet.readUInt32BE(4)
    const seen = this.#rtcp.of(ssrc) ?? this.#rtcp.addForEver(ssrc)
    if (seen === undefined) return undefined
    const index = seen.highest + 1
    if (index >= RTCP_INDICES) return undefined
    seen.add(index)
    return this.#protection.sealRtcp(packet, ssrc, index)
  }

  unprotectRtcp(packet: Buffer): Buffer | undefined {
    const index = packet.length < RTCP_HEADER_BYTES ? undefined : this.#protection.rtcpIndex(packet)
    if (index === undefined) return this.#refuse('failed')
    const ssrc = packet.readUInt32BE(4)
    const seen = this.#rtcp.of(ssrc)
    if (seen?.isNew(index) === false) return this.#refuse('replayed')
    const opened = this.#protection.openRtcp(packet, ssrc)
    if (opened === undefined) return this.#refuse('failed')
    const authentic = seen ?? this.#rtcp.add(ssrc)
    authentic.add(index)
    return opened
  }

  #refuse(why: keyof SrtpCounters): undefined {
    this.counters[why]++
    return undefined
  }
}

/** Indices seen of each SSRC; bounded. */
class SourceTable {
  readonly #limit: number
  readonly #windows = new Map<number, ReplayWindow>()
  #latestSsrc = -1
  #latest: ReplayWindow | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  of(ssrc: number): ReplayWindow | undefined {
    if (ssrc === this.#latestSsrc) return this.#latest
    const found = this.#windows.get(ssrc)
    if (found !== undefined) this.#touch(ssrc, found)
    return found
  }

  /** `undefined`: there is no room. What was sent must stay known, or a keystream would be used twice (§9.1). */
  addForEver(ssrc: number): ReplayWindow | undefined {
    return this.#windows.size >= this.#limit ? undefined : this.add(ssrc)
  }

  /** The one unused longest gives way. */
  add(ssrc: number): ReplayWindow {
    const [oldest] = this.#windows.keys()
    if (this.#windows.size >= this.#limit && oldest !== undefined) this.#windows.delete(oldest)
    const window = new ReplayWindow(WINDOW_PACKETS)
    this.#touch(ssrc, window)
    return window
  }

  /** The map is in order of last use. */
  #touch(ssrc: number, window: ReplayWindow): void {
    this.#windows.delete(ssrc)
    this.#windows.set(ssrc, window)
    this.#latestSsrc = ssrc
    this.#latest = window
  }
}

function protectionOf({ suite, masterKey, masterSalt }: SrtpOptions): Protection {
  const parameters = parametersOf(suite)
  const derive = (label: number, length: number): Buffer => deriveKey(masterKey, masterSalt, label, length)
  const rtp = {
    encryption: derive(LABEL.rtpEncryption, parameters.keyLength),
    salt: derive(LABEL.rtpSalt, parameters.saltLength),
    authentication: derive(LABEL.rtpAuthentication, HMAC_KEY_BYTES),
  }
  const rtcp = {
    encryption: derive(LABEL.rtcpEncryption, parameters.keyLength),
    salt: derive(LABEL.rtcpSalt, parameters.saltLength),
    authentication: derive(LABEL.rtcpAuthentication, HMAC_KEY_BYTES),
  }
  return parameters.aead ? new GcmProtection(rtp, rtcp) : new HmacProtection(rtp, rtcp, parameters.tagLength)
}

const SSRC_LIMIT = 16
const SENT_SSRC_LIMIT = 64
/** RFC 3711 §3.3.2 asks for at least 64; retransmissions and reordering of a browser's video need more. */
const WINDOW_PACKETS = 1_024
const HMAC_KEY_BYTES = 20
const RTCP_INDICES = 0x8000_0000
