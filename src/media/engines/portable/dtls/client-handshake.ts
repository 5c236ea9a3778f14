import { type KeyObject, timingSafeEqual } from 'node:crypto'
import type { SrtpSuite } from '../../../model.ts'
import {
  ALERT,
  certificateMessage,
  type FlightItem,
  type Handshake,
  HandshakeFailure,
  type HandshakeOptions,
  type HandshakeStep,
  helloRandom,
  Transcript,
  unexpected,
  verifiedPeerKey,
} from './handshake.ts'
import { HANDSHAKE, type HandshakeMessage } from './handshake-message.ts'
import {
  buildClientHello,
  CIPHER,
  PROFILES,
  parseHelloVerifyRequest,
  parseServerHello,
  type ServerHello,
} from './hello.ts'
import { createKeyShare, type KeyShare, SUPPORTED_CURVES } from './key-agreement.ts'
import { exportSrtpKeys, masterSecret, recordProtections, type Secrets, verifyData } from './key-schedule.ts'
import { DTLS_1_2 } from './record.ts'
import { isSignedBy, OUR_SCHEME, signWith } from './signature.ts'
import { DecodeError, Reader, uint16, vector8, vector16 } from './wire.ts'

/** The client's half of a DTLS 1.2 handshake (RFC 5246 §7.3, RFC 5764). */
export class ClientHandshake implements Handshake {
  readonly #options: HandshakeOptions
  readonly #transcript = new Transcript()
  readonly #random = helloRandom()
  #expected: readonly number[] = [HANDSHAKE.serverHello, HANDSHAKE.helloVerifyRequest]
  #hello: ServerHello | undefined
  #suite: SrtpSuite | undefined
  #peerKey: KeyObject | undefined
  #share: KeyShare | undefined
  #premaster: Buffer | undefined
  #secrets: Secrets | undefined
  #certificateWanted = false

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  start(): HandshakeStep {
    return this.#sendHello(Buffer.alloc(0))
  }

  onMessage(message: HandshakeMessage): HandshakeStep {
    if (!this.#expected.includes(message.type)) throw new DecodeError(unexpected(message.type))
    switch (message.type) {
      case HANDSHAKE.helloVerifyRequest:
        return this.#onHelloVerifyRequest(message)
      case HANDSHAKE.serverHello:
        return this.#onServerHello(message)
      case HANDSHAKE.certificate:
        return this.#onCertificate(message)
      case HANDSHAKE.serverKeyExchange:
        return this.#onKeyExchange(message)
      case HANDSHAKE.certificateRequest:
        return this.#onCertificateRequest(message)
      case HANDSHAKE.serverHelloDone:
        return this.#onServerHelloDone(message)
      default:
        return this.#onFinished(message)
    }
  }

  #sendHello(cookie: Buffer): HandshakeStep {
    this.#transcript.clear()
    return { flight: [this.#transcript.own(HANDSHAKE.clientHello, buildClientHello(this.#random, cookie))] }
  }

  #onHelloVerifyRequest(message: HandshakeMessage): HandshakeStep {
    const cookie = parseHelloVerifyRequest(message.body)
    this.#expected = [HANDSHAKE.serverHello]
    return this.#sendHello(cookie)
  }

  #onServerHello(message: HandshakeMessage): HandshakeStep {
    const hello = parseServerHello(message.body)
    const fail = (what: string) => new HandshakeFailure(ALERT.illegalParameter, `the peer chose ${what}`)
    if (hello.version !== DTLS_1_2) throw new HandshakeFailure(ALERT.protocolVersion, 'the peer is not DTLS 1.2')
    if (!CIPHERS.includes(hello.cipher)) throw fail('a cipher suite we did not offer')
    const profile = PROFILES.find(([code]) => code === hello.profile)
    if (profile === undefined) throw fail('no SRTP profile we offered')
    this.#hello = hello
    this.#suite = profile[1]
    return this.#next(message, HANDSHAKE.certificate)
  }

  #onCertificate(message: HandshakeMessage): HandshakeStep {
    const key = verifiedPeerKey(message.body, this.#options.peerFingerprints)
    const wanted = needed(this.#hello).cipher === CIPHER.ecdheRsaAes128Gcm ? 'rsa' : 'ec'
    if (key.asymmetricKeyType !== wanted) {
      throw new HandshakeFailure(ALERT.illegalParameter, 'the cipher suite does not fit the certificate')
    }
    this.#peerKey = key
    return this.#next(message, HANDSHAKE.serverKeyExchange)
  }

  #onKeyExchange(message: HandshakeMessage): HandshakeStep {
    const reader = new Reader(message.body)
    const curveType = reader.uint8()
    const curve = reader.uint16()
    const point = reader.vector8()
    const params = message.body.subarray(0, message.body.length - reader.remaining)
    const scheme = reader.uint16()
    const signature = reader.vector16()
    reader.end()
    if (curveType !== 3 || !SUPPORTED_CURVES.includes(curve)) throw new DecodeError('a curve that was not offered')
    const signed = Buffer.concat([this.#random, needed(this.#hello).random, params])
    if (!isSignedBy(needed(this.#peerKey), scheme, signed, signature)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the peer does not hold the key of its certificate')
    }
    const share = createKeyShare(curve)
    this.#premaster = share.agree(point)
    this.#share = share
    return this.#next(message, HANDSHAKE.certificateRequest, HANDSHAKE.serverHelloDone)
  }

  #onCertificateRequest(message: HandshakeMessage): HandshakeStep {
    this.#certificateWanted = true
    return this.#next(message, HANDSHAKE.serverHelloDone)
  }

  #onServerHelloDone(message: HandshakeMessage): HandshakeStep {
    const hello = needed(this.#hello)
    const premaster = needed(this.#premaster)
    this.#next(message, HANDSHAKE.finished)
    const flight: FlightItem[] = []
    if (this.#certificateWanted) {
      flight.push(this.#transcript.own(HANDSHAKE.certificate, certificateMessage(this.#options.certificate)))
    }
    flight.push(this.#transcript.own(HANDSHAKE.clientKeyExchange, vector8(needed(this.#share).publicKey)))
    const randoms = { clientRandom: this.#random, serverRandom: hello.random }
    const session = hello.extendedMasterSecret ? this.#transcript.bytes() : undefined
    const secrets = { master: masterSecret({ premaster, ...randoms, session }), ...randoms }
    this.#secrets = secrets
    if (this.#certificateWanted) {
      const signature = signWith(this.#options.certificate.privateKey, this.#transcript.bytes())
      const verify = Buffer.concat([uint16(OUR_SCHEME), vector16(signature)])
      flight.push(this.#transcript.own(HANDSHAKE.certificateVerify, verify))
    }
    flight.push({ kind: 'change-cipher-spec' })
    const finished = verifyData(secrets.master, 'client', this.#transcript.bytes())
    flight.push(this.#transcript.own(HANDSHAKE.finished, finished, 1))
    const { client, server } = recordProtections(secrets)
    return { protections: { read: server, write: client }, flight }
  }

  #onFinished(message: HandshakeMessage): HandshakeStep {
    const secrets = needed(this.#secrets)
    const right = verifyData(secrets.master, 'server', this.#transcript.bytes())
    if (message.body.length !== right.length || !timingSafeEqual(message.body, right)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the handshake was tampered with')
    }
    this.#expected = []
    // The server has what we sent, or it could not be finished: nothing is left to repeat (RFC 6347 §4.2.4).
    return { flight: [], connected: exportSrtpKeys(secrets, needed(this.#suite), 'client') }
  }

  #next(message: HandshakeMessage, ...expected: readonly number[]): HandshakeStep {
    this.#transcript.received(message)
    this.#expected = expected
    return {}
  }
}

const CIPHERS: readonly number[] = Object.values(CIPHER)

/** A value that the order of messages guarantees. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new DecodeError('a handshake message came too early')
  return value
}
