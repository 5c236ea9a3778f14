import type { ApiEvent, SessionRequest } from '../../api/model.ts'
import { type ApiClient, ApiRefusal } from '../api/client.ts'
import { createStore, type Store } from '../store.ts'
import { applyDetail, applyEvent, applyView, hasHole, type ObservedCalls } from './calls.ts'

/** What the gateway tells of its calls, and whether it is telling. */
export interface WatchState {
  readonly calls: ObservedCalls
  readonly link: 'off' | 'connecting' | 'live' | 'lost'
  /** Why the link is lost. */
  readonly words?: string
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 15_000

/** Follows `/v1/events` for as long as somebody is signed in; reconnects with growing pauses. */
export class Watch {
  readonly state: Store<WatchState> = createStore<WatchState>({ calls: new Map(), link: 'off' })
  readonly #api: ApiClient
  #abort = new AbortController()
  #token = ''
  readonly #fetching = new Set<string>()

  constructor(api: ApiClient) {
    this.#api = api
  }

  /** Begins with the calls of this user; ends what was followed before. */
  start({ user, domain, password }: SessionRequest): void {
    this.stop()
    this.#token = ''
    this.#abort = new AbortController()
    this.state.update(() => ({ calls: new Map(), link: 'connecting' }))
    this.#run({ user, domain, password }, this.#abort.signal).catch(() => undefined) // Ends by abort only.
  }

  stop(): void {
    this.#abort.abort()
    this.state.update(() => ({ calls: new Map(), link: 'off' }))
  }

  /** Fetches the whole timeline of a call. */
  async load(id: string): Promise<void> {
    const { signal } = this.#abort
    if (this.#fetching.has(id) || signal.aborted) return
    this.#fetching.add(id)
    try {
      const before = this.state.get().calls.get(id)?.view
      const detail = await this.#api.call(this.#token, id, signal)
      if (signal.aborted) return
      const now = this.state.get().calls.get(id)?.view
      // What an event told meanwhile is newer than the answer.
      const latest = now === undefined || now === before ? detail : { ...detail, ...now }
      this.state.update((state) => ({ ...state, calls: applyDetail(state.calls, latest) }))
    } catch {
      return // The call is forgotten, or the link is lost: what events tell is shown.
    } finally {
      this.#fetching.delete(id)
    }
  }

  async #run(who: SessionRequest, signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    const onOpen = (): void => {
      retryMs = FIRST_RETRY_MS
      this.state.update(({ words: _, ...state }) => ({ ...state, link: 'live' }))
      this.#catchUp(signal).catch(() => undefined) // If it fails, so does the stream, which reconnects.
    }
    while (!signal.aborted) {
      const words = await this.#followOnce(who, signal, onOpen)
      if (signal.aborted) return
      this.state.update((state) => ({ ...state, link: 'lost', words }))
      await pause(retryMs, signal)
      retryMs = Math.min(LAST_RETRY_MS, 2 * retryMs)
    }
  }

  /** Returns why the stream ended. */
  async #followOnce(who: SessionRequest, signal: AbortSignal, onOpen: () => void): Promise<string> {
    try {
      if (this.#token === '') this.#token = (await this.#api.session(who)).token
      for await (const event of this.#api.events(this.#token, signal, onOpen)) this.#onEvent(event)
      return 'The gateway ended the stream of events.'
    } catch (error) {
      if (!(error instanceof ApiRefusal)) return 'The gateway does not answer.'
      if (error.status === 401) this.#token = '' // Out of date, or from before the gateway was started again.
      return `The gateway refused: ${error.message}.`
    }
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const views = await this.#api.calls(this.#token, signal)
    this.state.update((state) => ({ ...state, calls: [...views].reverse().reduce(applyView, state.calls) }))
    const running = views.filter((view) => view.endedAt === undefined)
    await Promise.all(running.map((view) => this.load(view.id)))
  }

  #onEvent(event: ApiEvent): void {
    const id = event.event === 'call' ? event.data.id : event.data.call
    this.state.update((state) => ({ ...state, calls: applyEvent(state.calls, event) }))
    const call = this.state.get().calls.get(id)
    if (call === undefined || !call.complete || hasHole(call)) {
      this.load(id).catch(() => undefined) // `load` tells of nothing; the next event tries again.
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
