import { type KeyObject, timingSafeEqual } from 'node:crypto'
import {
  ALERT,
  certificateMessage,
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
import { buildServerHello, CIPHER, type ClientHello, PROFILES, parseClientHello } from './hello.ts'
import { createKeyShare, type KeyShare, SUPPORTED_CURVES } from './key-agreement.ts'
import { exportSrtpKeys, masterSecret, recordProtections, type Secrets, verifyData } from './key-schedule.ts'
import { DTLS_1_2 } from './record.ts'
import { ACCEPTED_SCHEMES, isSignedBy, OUR_SCHEME, signWith } from './signature.ts'
import { DecodeError, Reader, uint8, uint16, vector8, vector16 } from './wire.ts'

interface Agreed {
  readonly hello: ClientHello
  readonly serverRandom: Buffer
  readonly share: KeyShare
  readonly profile: (typeof PROFILES)[number]
}

/**
 * The server's half of a DTLS 1.2 handshake with a client certificate (RFC 5246 §7.3, RFC 5764).
 *
 * There is no HelloVerifyRequest: only an address that answered for its ICE credentials gets this far.
 */
export class ServerHandshake implements Handshake {
  readonly #options: HandshakeOptions
  readonly #transcript = new Transcript()
  #expected: number = HANDSHAKE.clientHello
  #agreed: Agreed | undefined
  #peerKey: KeyObject | undefined
  #secrets: Secrets | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  start(): HandshakeStep {
    return {}
  }

  onMessage(message: HandshakeMessage): HandshakeStep {
    if (message.type !== this.#expected) throw new DecodeError(unexpected(message.type))
    switch (message.type) {
      case HANDSHAKE.clientHello:
        return this.#onClientHello(message)
      case HANDSHAKE.certificate:
        return this.#onCertificate(message)
      case HANDSHAKE.clientKeyExchange:
        return this.#onKeyExchange(message)
      case HANDSHAKE.certificateVerify:
        return this.#onCertificateVerify(message)
      default:
        return this.#onFinished(message)
    }
  }

  #onClientHello(message: HandshakeMessage): HandshakeStep {
    const hello = parseClientHello(message.body)
    const agreed = agree(hello)
    this.#agreed = agreed
    this.#transcript.received(message)
    this.#expected = HANDSHAKE.certificate
    const serverHello = buildServerHello(agreed.serverRandom, agreed.profile[0], hello)
    return {
      flight: [
        this.#transcript.own(HANDSHAKE.serverHello, serverHello),
        this.#transcript.own(HANDSHAKE.certificate, certificateMessage(this.#options.certificate)),
        this.#transcript.own(HANDSHAKE.serverKeyExchange, this.#keyExchange(agreed)),
        this.#transcript.own(HANDSHAKE.certificateRequest, CERTIFICATE_REQUEST),
        this.#transcript.own(HANDSHAKE.serverHelloDone, Buffer.alloc(0)),
      ],
    }
  }

  #keyExchange({ hello, serverRandom, share }: Agreed): Buffer {
    const params = Buffer.concat([uint8(NAMED_CURVE), uint16(share.curve), vector8(share.publicKey)])
    const signed = Buffer.concat([hello.random, serverRandom, params])
    const signature = signWith(this.#options.certificate.privateKey, signed)
    return Buffer.concat([params, uint16(OUR_SCHEME), vector16(signature)])
  }

  #onCertificate(message: HandshakeMessage): HandshakeStep {
    this.#peerKey = verifiedPeerKey(message.body, this.#options.peerFingerprints)
    this.#transcript.received(message)
    this.#expected = HANDSHAKE.clientKeyExchange
    return {}
  }

  #onKeyExchange(message: HandshakeMessage): HandshakeStep {
    const { hello, serverRandom, share } = needed(this.#agreed)
    const reader = new Reader(message.body)
    const premaster = share.agree(reader.vector8())
    reader.end()
    this.#transcript.received(message)
    const randoms = { clientRandom: hello.random, serverRandom }
    const session = hello.extendedMasterSecret ? this.#transcript.bytes() : undefined
    this.#secrets = { master: masterSecret({ premaster, ...randoms, session }), ...randoms }
    this.#expected = HANDSHAKE.certificateVerify
    const { client, server } = recordProtections(this.#secrets)
    return { protections: { read: client, write: server } }
  }

  #onCertificateVerify(message: HandshakeMessage): HandshakeStep {
    const reader = new Reader(message.body)
    const scheme = reader.uint16()
    const signature = reader.vector16()
    reader.end()
    if (!isSignedBy(needed(this.#peerKey), scheme, this.#transcript.bytes(), signature)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the peer does not hold the key of its certificate')
    }
    this.#transcript.received(message)
    this.#expected = HANDSHAKE.finished
    return {}
  }

  #onFinished(message: HandshakeMessage): HandshakeStep {
    const secrets = needed(this.#secrets)
    const right = verifyData(secrets.master, 'client', this.#transcript.bytes())
    if (message.body.length !== right.length || !timingSafeEqual(message.body, right)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the handshake was tampered with')
    }
    this.#transcript.received(message)
    this.#expected = NOTHING
    const ours = verifyData(secrets.master, 'server', this.#transcript.bytes())
    return {
      flight: [{ kind: 'change-cipher-spec' }, this.#transcript.own(HANDSHAKE.finished, ours, 1)],
      connected: exportSrtpKeys(secrets, needed(this.#agreed).profile[1], 'server'),
    }
  }
}

/** What both can do. @throws HandshakeFailure when a part of it is missing. */
function agree(hello: ClientHello): Agreed {
  const fail = (what: string) => new HandshakeFailure(ALERT.handshakeFailure, `the peer offers no ${what} that we have`)
  if (hello.version < 0xfe00 || hello.version > DTLS_1_2) {
    throw new HandshakeFailure(ALERT.protocolVersion, 'the peer is older than DTLS 1.2') // Newer is smaller.
  }
  if (!hello.ciphers.includes(CIPHER.ecdheEcdsaAes128Gcm)) throw fail('cipher suite')
  if (!hello.signatureSchemes.includes(OUR_SCHEME)) throw fail('signature scheme')
  const curve = SUPPORTED_CURVES.find((candidate) => hello.curves.includes(candidate))
  if (curve === undefined) throw fail('curve')
  const profile = PROFILES.find(([code]) => hello.profiles.includes(code))
  if (profile === undefined) throw fail('SRTP profile')
  return { hello, serverRandom: helloRandom(), share: createKeyShare(curve), profile }
}

/** A value that the order of messages guarantees. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new DecodeError('a handshake message came too early')
  return value
}

const NAMED_CURVE = 3
/** No handshake message has this type: all others are unexpected from now on. */
const NOTHING = -1

/** ECDSA or RSA certificates, no names of authorities (RFC 5246 §7.4.4). */
const CERTIFICATE_REQUEST = Buffer.concat([
  vector8(uint8(64), uint8(1)),
  vector16(uint16(...ACCEPTED_SCHEMES)),
  vector16(),
])
