/** What the tests ask of a page that runs one stock SIP client: the same for JsSIP and SIP.js. No DOM types here. */

export type Stack = 'jssip' | 'sipjs'

export interface Registration {
  readonly stack: Stack
  readonly webSocket: string
  readonly user: string
  readonly domain: string
  readonly password: string
  /** Frequency of the tone that is sent instead of a microphone's sound. */
  readonly toneHz: number
}

/** Something that happened, as a word: `registered`, `incoming`, `ringing`, `talking`, `held`, `resumed`, … */
export interface Happening {
  readonly what:
    | 'registered'
    | 'registration-failed'
    | 'incoming'
    | 'ringing'
    | 'talking'
    | 'held'
    | 'resumed'
    | 'held-by-peer'
    | 'resumed-by-peer'
    | 'info'
    | 'failed'
    | 'ended'
  /** Status of the response behind it, if there is one. */
  readonly status?: number
  /** The caller, a digit, or a cause in words. */
  readonly detail?: string
}

/** The methods of `window.client`. */
export interface Client {
  /** Resolves when registered; rejects with the reason. */
  readonly register: (registration: Registration) => Promise<void>
  /** Ends whatever call there is and forgets what happened so far: a new test begins. */
  readonly reset: () => void
  readonly call: (target: string) => void
  readonly answer: () => void
  readonly reject: (status: number) => void
  /** Gives up before the answer. */
  readonly cancel: () => void
  readonly hangUp: () => void
  readonly hold: () => void
  readonly resume: () => void
  readonly digit: (digit: string, by: 'rtp' | 'info') => void
  /** The next happening of that kind that was not taken yet; rejects after `timeoutMs` with all that happened. */
  readonly next: (what: Happening['what'], timeoutMs: number) => Promise<Happening>
  /** Milliseconds until the far end sounded at `hz` for a while; rejects after `timeoutMs` with what was heard. */
  readonly hears: (hz: number, timeoutMs: number) => Promise<number>
  /** Milliseconds until the far end was silent for a while. */
  readonly hearsNothing: (timeoutMs: number) => Promise<number>
  /** Name of the codec received: `PCMU`, `opus`. */
  readonly codec: () => Promise<string>
  readonly close: () => Promise<void>
}
