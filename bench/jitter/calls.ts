import {
  type CallerCall,
  localAddressToward,
  type MediaPeer,
  openPlainPeer,
  openWebRtcPeer,
  openWebSocket,
  openWire,
  UserAgent,
} from '../../src/caller/index.ts'
import { randomIds } from '../../src/random.ts'
import type { Subject } from '../peers/index.ts'

/** One call that is up, with both its ends here. */
export interface UpCall {
  readonly web: MediaPeer
  readonly sip: MediaPeer
  /** From INVITE to the moment both ends may send, in ms. */
  readonly setUpMs: number
  hangUp(): Promise<void>
}

/** Both accounts, registered, able to call each other. */
export class CallMaker {
  readonly #subject: Subject
  readonly #web: UserAgent
  readonly #phone: UserAgent
  readonly #host: string

  private constructor(subject: Subject, web: UserAgent, phone: UserAgent, host: string) {
    this.#subject = subject
    this.#web = web
    this.#phone = phone
    this.#host = host
  }

  static async open(subject: Subject): Promise<CallMaker> {
    const host = await localAddressToward(subject.sip.host)
    const common = { domain: subject.domain, ids: randomIds, product: 'Trunkline-bench' }
    const web = new UserAgent({ wire: await openWebSocket(subject.webSocket), ...common, ...subject.web })
    const phone = new UserAgent({ wire: await openWire('udp', subject.sip), ...common, ...subject.phone })
    await Promise.all([web.register(), phone.register()])
    return new CallMaker(subject, web, phone, host)
  }

  /**
   * One call; `from` tells which end makes it.
   *
   * @throws GatewayError if it is refused or media does not connect; nothing of it is left then.
   */
  async make(from: 'web' | 'phone'): Promise<UpCall> {
    const [web, sip] = await Promise.all([openWebRtcPeer(this.#host), openPlainPeer(this.#host)])
    const [caller, callee] = from === 'web' ? [this.#web, this.#phone] : [this.#phone, this.#web]
    const [callerPeer, calleePeer] = from === 'web' ? [web, sip] : [sip, web]
    const called = from === 'web' ? this.#subject.phone.user : this.#subject.web.user
    const startedAt = performance.now()
    const incoming = nextCall(callee)
    const call = caller.call(`sip:${called}@${this.#subject.domain}`, callerPeer.offer())
    const hangUp = async (): Promise<void> => {
      await call.hangUp()
      web.close()
      sip.close()
    }
    try {
      const arrived = await Promise.race([incoming, call.answered.then(() => incoming)])
      arrived.accept(calleePeer.answer(arrived.offer))
      callerPeer.accept(await call.answered)
      await Promise.all([connected(web), connected(sip)])
    } catch (error) {
      await hangUp()
      throw error
    }
    return { web, sip, setUpMs: performance.now() - startedAt, hangUp }
  }

  /** Takes the registrations back and closes the connections. */
  async close(): Promise<void> {
    await Promise.all([this.#web.unregister(), this.#phone.unregister()])
    this.#web.close()
    this.#phone.close()
  }
}

/** The next one who calls; after that everybody is refused again. */
function nextCall(agent: UserAgent): Promise<CallerCall> {
  return new Promise((resolve) => {
    agent.onIncoming = (call) => {
      agent.onIncoming = (further) => further.refuse(486)
      resolve(call)
    }
  })
}

async function connected(peer: MediaPeer): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`media does not connect: ${peer.state()}`)), 10_000)
  })
  await Promise.race([peer.connected, late]).finally(() => clearTimeout(timer))
}
