import { GatewayError } from '../../../base/index.ts'
import type { MediaSessionId } from '../../model.ts'
import type { MediaLog } from '../portable/config.ts'
import { Connection } from './connection.ts'
import { type Ownership, ownEngine } from './control-path.ts'
import type { Keeper, Launch } from './keeper.ts'
import type { Answer, Hello, Op, WireEvent } from './protocol.ts'

export interface SupervisorOptions {
  /** Path of the control socket. */
  readonly path: string
  /** Name for the engine's log. */
  readonly gateway: string
  readonly launch: Launch
  readonly log?: MediaLog | undefined
  /** What we claim from each relay that comes. */
  readonly sessions: () => readonly MediaSessionId[]
  readonly onEvents: (events: readonly WireEvent[]) => void
  readonly onLost: (detail: string) => void
}

/**
 * Sees to it that there is an engine to talk to.
 *
 * - The relay dies or is replaced: the keeper gives its sessions to the next one. Nobody but the log has to know.
 * - The keeper dies: the relay goes on alone, with all calls, for as long as it lives.
 * - Both are gone: the sessions are lost. That is told, commands are refused, and a new keeper is started for new calls.
 * - We died before: the keeper of before is found at the control path, with the sessions it has. Calls are not stored in
 *   this version, so nobody claims these; the engine closes them after a minute, which lets talks come to an end.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  #ownership: Ownership | undefined
  #keeper: Keeper | undefined
  #connection: Connection | undefined
  #hello: Hello | undefined
  /** Settles when the present connection is of no use any more. */
  #gone: Promise<void> = Promise.resolve()
  #retry: NodeJS.Timeout | undefined
  #isStopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** @throws GatewayError `LISTEN_FAILED`, `MEDIA_ENGINE_MISSING`; nothing is left running. */
  async start(): Promise<void> {
    this.#ownership = await ownEngine(this.#options.path)
    try {
      if (!(await this.#adopt())) await this.#launch()
    } catch (thrown) {
      await this.#ownership.end()
      throw thrown
    }
  }

  /** For people: what runs. */
  get about(): string {
    const { threads = 0, io = 'unknown' } = this.#hello ?? {}
    return `native, ${threads} thread${threads === 1 ? '' : 's'}, io ${io}`
  }

  /** Ids of keeper and relay; `undefined` while there are none. */
  get processes(): { readonly keeper: number; readonly relay: number } | undefined {
    const hello = this.#hello
    return hello && { keeper: hello.keeperPid, relay: hello.relayPid }
  }

  /** @throws GatewayError that of the engine; `MEDIA_DEADLINE_MISSED`; `MEDIA_ENGINE_LOST`: a new one is being started. */
  async call(op: Op, deadlineMs: number): Promise<Answer> {
    if (this.#connection !== undefined) return this.#connection.call(op, deadlineMs)
    throw new GatewayError('MEDIA_ENGINE_LOST', 'the media engine is gone, a new one is being started')
  }

  /** Ends relay and keeper; they say goodbye to all peers. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#retry)
    await this.#stopEngine()
    await this.#ownership?.end()
  }

  /** @returns Whether there is a keeper with sessions. One without may be of an older build, or other ports: it ends. */
  async #adopt(): Promise<boolean> {
    if ((await this.#connect()) === undefined) return false
    const answer = await this.call({ op: 'list' }, STOP_MS)
    const sessions = answer.kind === 'sessions' ? answer.sessions.length : 0
    if (sessions > 0) {
      this.#options.log?.warn(
        { sessions },
        'the media engine still has sessions of a gateway before; they end within a minute',
      )
      return true
    }
    await this.#stopEngine()
    return false
  }

  /** @throws GatewayError `LISTEN_FAILED`, `MEDIA_ENGINE_MISSING`. */
  async #launch(): Promise<void> {
    const keeper = await this.#options.launch(this.#options.path)
    this.#keeper = keeper
    void keeper.ended.then(() => this.#onKeeperEnded(keeper))
    const hello = await this.#connect()
    if (hello !== undefined) return
    keeper.kill()
    throw new GatewayError('LISTEN_FAILED', `nobody answers at ${this.#options.path} though the media engine is ready`)
  }

  /** @returns What a relay answered; `undefined`: nobody listens. */
  #connect(): Promise<Hello | undefined> {
    const { path, gateway, onEvents, log } = this.#options
    return new Promise((done) => {
      this.#gone = new Promise((gone) => {
        this.#connection = new Connection({
          path,
          gateway,
          onEvents,
          onRelay: (hello) => {
            done(hello)
            return this.#onRelay(hello)
          },
          onLost: (error) => {
            const wasUp = this.#hello !== undefined
            this.#connection = undefined
            this.#hello = undefined
            done(undefined)
            gone()
            if (wasUp) this.#onLost(error.message)
          },
          onOddity: (problem) => log?.warn({ problem }, 'the media engine said what cannot be read'),
        })
      })
    })
  }

  #onRelay(hello: Hello): Op {
    const before = this.#hello
    this.#hello = hello
    const sessions = this.#options.sessions()
    const facts = { version: hello.version, relayPid: hello.relayPid, sessions: sessions.length }
    if (before !== undefined && before.relayPid !== hello.relayPid) {
      this.#options.log?.warn(facts, 'another relay serves; its sessions go on')
    }
    return { op: 'claim', sessions }
  }

  #onLost(detail: string): void {
    if (this.#isStopping) return
    this.#options.log?.warn({ detail }, 'the media engine is gone with its sessions; a new one is started')
    this.#options.onLost(detail)
    this.#relaunch(0)
  }

  #relaunch(attempt: number): void {
    this.#retry = setTimeout(
      () => {
        this.#launch().catch((thrown: unknown) => {
          this.#options.log?.warn({ detail: String(thrown) }, 'the media engine could not be started again')
          if (!this.#isStopping) this.#relaunch(attempt + 1)
        })
      },
      Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt),
    )
  }

  #onKeeperEnded(keeper: Keeper): void {
    if (this.#keeper !== keeper) return
    this.#keeper = undefined
    if (!this.#isStopping && this.#connection !== undefined) {
      this.#options.log?.warn({}, 'the keeper of the media engine ended; its relay goes on for as long as it lives')
    }
  }

  async #stopEngine(): Promise<void> {
    const [connection, keeper, pid] = [this.#connection, this.#keeper, this.#hello?.keeperPid]
    this.#hello = undefined // From here on its end is no loss.
    const late = setTimeout(() => endProcess(pid), STOP_MS)
    // The answer may be lost with the relay that gives it.
    await Promise.race([connection?.call({ op: 'stop' }, STOP_MS).catch(() => undefined), this.#gone])
    await Promise.all([this.#gone, keeper?.ended])
    clearTimeout(late)
    connection?.end(new GatewayError('MEDIA_ENGINE_LOST', 'the media engine was stopped'))
    this.#connection = undefined
  }
}

/** A keeper that does not end when it is asked to. */
function endProcess(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

/** The engine itself gives its relay 5 s. */
const STOP_MS = 8_000
/** The relay that waited has the ports open too; it notices the death of its keeper within milliseconds. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
