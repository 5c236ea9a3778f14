import { C } from 'jssip'
import type { RTCSession } from 'jssip/lib/RTCSession'
import { type Microphone, openMicrophone } from '../media/microphone.ts'
import { createPlayer, type Player } from '../media/player.ts'
import { readQuality, type StatsLike } from '../media/quality.ts'
import type { PageStorage } from '../storage.ts'
import { createStore, type Store } from '../store.ts'
import { HISTORY_LENGTH, type History, historyOf } from './history.ts'
import { type Line, openLine, PEER_CONNECTION } from './line.ts'
import type { Account, Outcome, PhoneCall, PhoneState } from './model.ts'
import { followSession, type SessionNews } from './session-news.ts'
import type { Settings } from './settings.ts'
import { dialTarget } from './target.ts'

/** The things behind a call that are not data. */
interface LiveCall {
  readonly player: Player
  session?: RTCSession
  microphone?: Microphone
  farEnd?: MediaStream
  sampling?: ReturnType<typeof setInterval>
}

/** More incoming calls than this at once are told that we are busy. */
const MAX_CALLS = 4
const SAMPLE_MS = 1_000

const SIGNED_OUT: PhoneState = { connection: { kind: 'off' }, registration: { kind: 'none' }, calls: [], recent: [] }

/** The telephone of the page: one account, several calls of which one talks. Components see `state` only. */
export class Phone {
  readonly state: Store<PhoneState> = createStore(SIGNED_OUT)
  readonly #settings: Store<Settings>
  readonly #storage: PageStorage
  readonly #live = new Map<string, LiveCall>()
  #line: Line | undefined
  #history: History | undefined
  #nextId = 1

  constructor(settings: Store<Settings>, storage: PageStorage) {
    this.#settings = settings
    this.#storage = storage
    let before = settings.get()
    settings.subscribe(() => {
      const now = settings.get()
      if (now.speaker !== before.speaker) for (const { player } of this.#live.values()) player.useSpeaker(now.speaker)
      if (now.microphone !== before.microphone) this.#changeMicrophones()
      before = now
    })
  }

  /** Connects to the gateway's WebSocket and registers. */
  signIn(account: Account, socketUrl: string): void {
    this.signOut()
    const history = historyOf(`${account.user}@${account.domain}`, this.#storage)
    this.#history = history
    const connection = { kind: 'connecting', attempt: 1 } as const
    this.state.update(() => ({ ...SIGNED_OUT, account, connection, recent: history.read() }))
    try {
      this.#line = openLine(account, socketUrl, {
        connection: (next) => this.state.update((state) => ({ ...state, connection: next })),
        registration: (registration) => this.state.update((state) => ({ ...state, registration })),
        incoming: (session, callId) => this.#onIncoming(session, callId),
      })
    } catch (error) {
      this.state.update(() => ({
        ...SIGNED_OUT,
        notice: { words: `Cannot sign in: ${messageOf(error)}`, problem: true },
      }))
    }
  }

  /** Ends all calls, unregisters, disconnects. */
  signOut(): void {
    for (const id of [...this.#live.keys()]) this.hangUp(id)
    this.#line?.close()
    this.#line = undefined
    this.state.update(() => SIGNED_OUT)
  }

  /** Calls what was typed. Other calls are put on hold. */
  async dial(typed: string): Promise<void> {
    const line = this.#line
    const target = dialTarget(typed)
    if (line === undefined) return
    if (target === undefined) {
      this.#notify('That is not a number or a name that can be called.', true)
      return
    }
    const { id, live } = this.#add({ direction: 'outgoing', peer: target, redial: target, phase: 'preparing' })
    this.#holdOthers(id)
    try {
      const microphone = await this.#openMicrophone(id, live)
      if (microphone === undefined) return
      line.call(target, {
        stream: microphone.stream,
        onSession: (session, sipCallId) => {
          this.#patch(id, { phase: 'dialling', sipCallId })
          this.#follow(id, live, session)
        },
      })
    } catch (error) {
      this.#end(id, { words: messageOf(error), problem: true })
    }
  }

  /** Answers an incoming call. Other calls are put on hold. */
  async answer(id: string): Promise<void> {
    const live = this.#live.get(id)
    const session = live?.session
    if (live === undefined || session === undefined || this.#call(id)?.phase !== 'incoming') return
    this.#patch(id, { phase: 'answering' })
    this.#holdOthers(id)
    try {
      const microphone = await this.#openMicrophone(id, live)
      if (microphone === undefined) return
      session.answer({ mediaStream: microphone.stream, pcConfig: PEER_CONNECTION })
    } catch (error) {
      this.#patch(id, { phase: 'incoming' }) // It still rings: another choice of microphone may work.
      this.#notify(messageOf(error), true)
    }
  }

  /** Ends a call in any phase: CANCEL, BYE, or 603 (486 if we are in another call). */
  hangUp(id: string): void {
    const phase = this.#call(id)?.phase
    const session = this.#live.get(id)?.session
    const cancelled: Outcome = { words: 'Cancelled.', problem: false }
    if (session === undefined) {
      this.#end(id, cancelled)
      return
    }
    const busy = this.state.get().calls.some((call) => call.id !== id && call.phase === 'talking')
    const declined = { status_code: busy ? 486 : 603, reason_phrase: busy ? 'Busy Here' : 'Decline' }
    try {
      session.terminate(phase === 'incoming' || phase === 'answering' ? declined : {})
    } catch {
      this.#end(id, cancelled) // JsSIP throws if the call ended by itself in this instant.
    }
  }

  hold(id: string): void {
    const session = this.#live.get(id)?.session
    if (session?.hold() === false) this.#notify('The call cannot be held right now: another change is under way.', true)
  }

  resume(id: string): void {
    const session = this.#live.get(id)?.session
    this.#holdOthers(id)
    if (session?.unhold() === false) this.#notify('The call cannot be resumed right now: try again.', true)
  }

  mute(id: string): void {
    this.#live.get(id)?.session?.mute({ audio: true })
  }

  unmute(id: string): void {
    this.#live.get(id)?.session?.unmute({ audio: true })
  }

  /** Sends one digit, `0`–`9`, `*`, `#`, `A`–`D`; by SIP INFO if asked, or if the call agreed on no telephone-event. */
  sendDigit(id: string, digit: string): void {
    const session = this.#live.get(id)?.session
    if (session === undefined || this.#call(id)?.phase !== 'talking') return
    const sender = session.connection.getSenders().find(({ track }) => track?.kind === 'audio')
    const byRtp = this.#settings.get().digits === 'rtp' && sender?.dtmf?.canInsertDTMF === true
    const transportType = byRtp ? C.DTMF_TRANSPORT.RFC2833 : C.DTMF_TRANSPORT.INFO
    session.sendDTMF(digit, { transportType, duration: 120, interToneGap: 70 })
  }

  /** The streams of a call, for level meters. */
  streams(id: string): { readonly near?: MediaStream; readonly far?: MediaStream } {
    const live = this.#live.get(id)
    return {
      ...(live?.microphone === undefined ? {} : { near: live.microphone.stream }),
      ...(live?.farEnd === undefined ? {} : { far: live.farEnd }),
    }
  }

  dismissNotice(): void {
    this.state.update(({ notice: _, ...state }) => state)
  }

  #onIncoming(session: RTCSession, sipCallId: string): void {
    if (this.#live.size >= MAX_CALLS) {
      session.terminate({ status_code: 486, reason_phrase: 'Busy Here' })
      return
    }
    const { display_name: name, uri } = session.remote_identity
    const redial = uri.host === this.state.get().account?.domain ? String(uri.user) : `${uri.user}@${uri.host}`
    const peer = name === undefined || name === null || name === '' ? redial : `${name} (${redial})`
    const { id, live } = this.#add({ direction: 'incoming', peer, redial, phase: 'incoming', sipCallId })
    this.#follow(id, live, session)
  }

  #add(known: Pick<PhoneCall, 'direction' | 'peer' | 'redial' | 'phase' | 'sipCallId'>): {
    readonly id: string
    readonly live: LiveCall
  } {
    const id = `call-${this.#nextId++}`
    const blocked = (): void => this.#notify('The browser wants a click on this page before it plays sound.', true)
    const live: LiveCall = { player: createPlayer(this.#settings.get().speaker, blocked) }
    this.#live.set(id, live)
    const fresh = { muted: false, heldByUs: false, heldByPeer: false, earlyMedia: false }
    const call: PhoneCall = { id, startedAt: Date.now(), ...fresh, ...known }
    this.state.update(({ notice: _, ...state }) => ({ ...state, calls: [...state.calls, call] }))
    return { id, live }
  }

  /** `undefined` if the call ended while the browser was asking for the microphone. */
  async #openMicrophone(id: string, live: LiveCall): Promise<Microphone | undefined> {
    const microphone = await openMicrophone(this.#settings.get().microphone)
    if (!this.#live.has(id)) {
      microphone.close()
      return undefined
    }
    live.microphone = microphone
    return microphone
  }

  #follow(id: string, live: LiveCall, session: RTCSession): void {
    live.session = session
    followSession(session, (news) => this.#onNews(id, live, news))
  }

  #onNews(id: string, live: LiveCall, news: SessionNews): void {
    if (news.kind === 'over') {
      this.#end(id, news.outcome)
      return
    }
    if (news.kind === 'talking') live.sampling ??= setInterval(() => this.#sample(id, live), SAMPLE_MS)
    if (news.kind === 'far-end') {
      live.farEnd = news.stream
      live.player.play(news.stream)
    }
    if (news.kind === 'ringing' && this.#call(id)?.direction === 'incoming') return // JsSIP tells of its own 180.
    this.#patch(id, changeBy(news))
  }

  #end(id: string, outcome: Outcome): void {
    const live = this.#live.get(id)
    const call = this.#call(id)
    if (live === undefined || call === undefined) return
    this.#live.delete(id)
    clearInterval(live.sampling)
    live.player.close()
    live.microphone?.close()
    const { direction, peer, redial, startedAt, sipCallId, answeredAt } = call
    const talkedMs = answeredAt === undefined ? 0 : Date.now() - answeredAt
    const over = { id: `${startedAt}-${id}`, direction, peer, redial, startedAt, talkedMs, outcome }
    const recent = [{ ...over, ...(sipCallId === undefined ? {} : { sipCallId }) }, ...this.state.get().recent]
    this.state.update((state) => ({
      ...state,
      calls: state.calls.filter((other) => other.id !== id),
      recent: recent.slice(0, HISTORY_LENGTH),
      notice: { words: `${peer}: ${outcome.words}`, problem: outcome.problem },
    }))
    this.#history?.write(this.state.get().recent)
  }

  #holdOthers(id: string): void {
    for (const call of this.state.get().calls) {
      if (call.id !== id && call.phase === 'talking' && !call.heldByUs) this.hold(call.id)
    }
  }

  #sample(id: string, live: LiveCall): void {
    const connection = live.session?.connection
    if (connection === undefined || connection === null) return
    const read = async (): Promise<void> => {
      const stats = await connection.getStats()
      const entries: StatsLike[] = []
      stats.forEach((entry: StatsLike) => {
        entries.push(entry)
      })
      const quality = readQuality(entries, this.#call(id)?.quality)
      if (quality !== undefined) this.#patch(id, { quality })
    }
    read().catch(() => undefined) // The connection closed meanwhile.
  }

  #changeMicrophones(): void {
    for (const [id, live] of this.#live) {
      if (live.microphone === undefined || live.session === undefined) continue
      this.#changeMicrophone(live).then(
        () => this.#patch(id, {}),
        (error: unknown) => this.#notify(messageOf(error), true),
      )
    }
  }

  async #changeMicrophone(live: LiveCall): Promise<void> {
    const next = await openMicrophone(this.#settings.get().microphone)
    const track = next.stream.getAudioTracks()[0]
    const sender = live.session?.connection.getSenders().find((candidate) => candidate.track?.kind === 'audio')
    if (track === undefined || sender === undefined) {
      next.close()
      return
    }
    track.enabled = sender.track?.enabled ?? true
    await sender.replaceTrack(track)
    live.microphone?.close()
    live.microphone = next
  }

  #call(id: string): PhoneCall | undefined {
    return this.state.get().calls.find((call) => call.id === id)
  }

  #patch(id: string, change: Partial<PhoneCall>): void {
    const patched = (call: PhoneCall): PhoneCall => (call.id === id ? { ...call, ...change } : call)
    this.state.update((state) => ({ ...state, calls: state.calls.map(patched) }))
  }

  #notify(words: string, problem: boolean): void {
    this.state.update((state) => ({ ...state, notice: { words, problem } }))
  }
}

/** What a piece of news changes in the call's data. */
function changeBy(news: Exclude<SessionNews, { readonly kind: 'over' }>): Partial<PhoneCall> {
  switch (news.kind) {
    case 'ringing':
      return { phase: 'ringing', earlyMedia: news.earlyMedia }
    case 'answered':
      return { phase: 'answering', answeredAt: Date.now() }
    case 'talking':
      return { phase: 'talking' }
    case 'hold':
      return news.by === 'us' ? { heldByUs: news.on } : { heldByPeer: news.on }
    case 'muted':
      return { muted: news.on }
    case 'far-end':
      return {} // Nothing in the data; the level meter looks for the stream at the next rendering.
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
