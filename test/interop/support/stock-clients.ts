import { WebSocket } from 'ws'
import { browserSdp } from '../../support/sdp-texts.ts'

/** A call of a stock client. */
export interface StockCall {
  /** Puts the other side on hold by a re-INVITE; resolves with whether it was accepted. */
  hold(): Promise<boolean>
  hangUp(): void
}

export interface StockEvents {
  readonly registered: () => void
  readonly disconnected: () => void
  /** A call begins in either direction; answered at once when it comes from outside. */
  readonly established: (call: StockCall) => void
  readonly reinvited: (call: StockCall) => void
  readonly ended: (call: StockCall) => void
}

export interface StockClient {
  call(user: string): void
  stop(): unknown
}

export interface StockAccount {
  readonly webSocket: string
  readonly user: string
  readonly password: string
  readonly domain: string
}

type Emitter = { on(event: string, listener: (happening: never) => void): void }

interface JsSipSession extends Emitter {
  answer(options: object): void
  hold(options: object, done: () => void): boolean
  terminate(): void
}

interface JsSip {
  readonly WebSocketInterface: new (url: string) => object
  readonly UA: new (
    options: object,
  ) => Emitter & {
    start(): void
    stop(): void
    call(target: string, options: object): JsSipSession
  }
}

/** JsSIP as it comes, with a fake of the browser's media below it. */
export async function jsSipClient(account: StockAccount, events: StockEvents): Promise<StockClient> {
  pretendBrowser()
  const { UA, WebSocketInterface } = await load<JsSip>('jssip')
  const ua = new UA({
    sockets: [new WebSocketInterface(account.webSocket)],
    uri: `sip:${account.user}@${account.domain}`,
    password: account.password,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 2,
  })
  const media = { mediaStream: { getTracks: () => [] }, pcConfig: {} }
  ua.on('registered', events.registered)
  ua.on('disconnected', events.disconnected)
  ua.on('newRTCSession', ({ session, originator }: { session: JsSipSession; originator: string }) => {
    const call: StockCall = {
      hold: () =>
        new Promise((done) => {
          session.on('ended', () => done(false))
          if (!session.hold({}, () => done(true))) done(false)
        }),
      hangUp: () => session.terminate(),
    }
    session.on('confirmed', () => events.established(call))
    session.on('reinvite', () => events.reinvited(call))
    session.on('ended', () => events.ended(call))
    session.on('failed', () => events.ended(call))
    if (originator === 'remote') session.answer(media)
  })
  ua.start()
  return { call: (user) => void ua.call(user, media), stop: () => ua.stop() }
}

interface SipJsSession {
  delegate?: object
  readonly stateChange: { addListener(listener: (state: string) => void): void }
  invite(options?: object): Promise<unknown>
  bye(): Promise<unknown>
  accept(): Promise<unknown>
}

interface SipJs {
  readonly UserAgent: {
    new (options: object): { start(): Promise<void>; readonly transport: { disconnect(): Promise<void> } }
    makeURI(text: string): object
  }
  readonly Registerer: new (
    agent: object,
  ) => {
    register(options?: object): Promise<unknown>
  }
  readonly Inviter: new (agent: object, target: object) => SipJsSession
}

/** SIP.js as it comes, with a session description handler that only writes SDP. */
export async function sipJsClient(account: StockAccount, events: StockEvents): Promise<StockClient> {
  pretendBrowser()
  const { UserAgent, Registerer, Inviter } = await load<SipJs>('sip.js')
  const follow = (session: SipJsSession): void => {
    const call: StockCall = {
      hold: () =>
        new Promise((done) => {
          const requestDelegate = { onAccept: () => done(true), onReject: () => done(false) }
          const sessionDescriptionHandlerOptions = { hold: true }
          session.invite({ requestDelegate, sessionDescriptionHandlerOptions }).catch(() => done(false))
        }),
      hangUp: () => void session.bye().catch(() => undefined),
    }
    session.delegate = { onInvite: () => events.reinvited(call) }
    session.stateChange.addListener((state) => {
      if (state === 'Established') events.established(call)
      if (state === 'Terminated') events.ended(call)
    })
  }
  const register = (): void => {
    registerer.register({ requestDelegate: { onAccept: events.registered } }).catch(() => undefined)
  }
  const agent = new UserAgent({
    uri: UserAgent.makeURI(`sip:${account.user}@${account.domain}`),
    authorizationUsername: account.user,
    authorizationPassword: account.password,
    transportOptions: { server: account.webSocket },
    reconnectionAttempts: 1_000,
    reconnectionDelay: 1,
    logBuiltinEnabled: false,
    sessionDescriptionHandlerFactory: descriptionHandler,
    delegate: {
      onConnect: register,
      onDisconnect: events.disconnected,
      onInvite: (session: SipJsSession) => {
        follow(session)
        session.accept().catch(() => undefined)
      },
    },
  })
  const registerer = new Registerer(agent)
  await agent.start()
  return {
    call(user) {
      const session = new Inviter(agent, UserAgent.makeURI(`sip:${user}@${account.domain}`))
      follow(session)
      session.invite().catch(() => undefined)
    },
    // As when a page is closed: nobody waits for answers, and it does not connect again.
    stop: () => agent.transport.disconnect().catch(() => undefined),
  }
}

function descriptionHandler() {
  const writer = new SdpWriter()
  return {
    close: () => undefined,
    hasDescription: (type: string) => type === 'application/sdp',
    getDescription: (options?: { readonly hold?: boolean }) =>
      Promise.resolve({ body: writer.next(options?.hold === true), contentType: 'application/sdp' }),
    setDescription: (text: string) => Promise.resolve(writer.heard(text)),
    sendDtmf: () => false,
  }
}

/** Offers and answers of a browser with one audio stream. */
class SdpWriter {
  #version = 1
  #offer: string | undefined

  heard(text: string): void {
    this.#offer = text.includes('a=setup:actpass') ? text : undefined
  }

  next(holds = false): string {
    const version = ++this.#version
    const offer = this.#offer
    this.#offer = undefined
    if (offer === undefined) return browserSdp({ version, direction: holds ? 'sendonly' : 'sendrecv' })
    return browserSdp({ version, setup: 'active', direction: offer.includes('a=sendonly') ? 'recvonly' : 'sendrecv' })
  }
}

const later = globalThis.setTimeout
const often = globalThis.setInterval

/** What the libraries take from a browser. Their timers end with the page, and so must not keep the test alive. */
function pretendBrowser(): void {
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms?: number) => later(run, ms).unref(),
    setInterval: (run: () => void, ms?: number) => often(run, ms).unref(),
    window: globalThis,
    RTCPeerConnection: FakeConnection,
    RTCSessionDescription: FakeDescription,
    WebSocket,
  })
}

class FakeDescription {
  constructor(parts: object) {
    Object.assign(this, parts)
  }
}

class FakeConnection {
  iceConnectionState = 'new'
  iceGatheringState = 'complete'
  signalingState = 'stable'
  localDescription: { readonly type: string; readonly sdp: string } | undefined
  readonly #writer = new SdpWriter()
  addEventListener(): void {}
  removeEventListener(): void {}
  addTrack(): void {}
  close(): void {}
  getSenders(): readonly object[] {
    return []
  }
  createOffer() {
    return Promise.resolve({ type: 'offer', sdp: this.#writer.next() })
  }
  createAnswer() {
    return Promise.resolve({ type: 'answer', sdp: this.#writer.next() })
  }
  setLocalDescription(description: { readonly type: string; readonly sdp: string }): Promise<void> {
    this.localDescription = description
    return Promise.resolve()
  }
  setRemoteDescription({ sdp }: { readonly sdp: string }): Promise<void> {
    return Promise.resolve(this.#writer.heard(sdp))
  }
}

/** The packages' own types need a browser. */
async function load<T>(name: string): Promise<T> {
  const module: T & { readonly default?: T } = await import(name)
  return module.default ?? module
}
