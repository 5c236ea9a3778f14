import type { Millis } from './time.ts'

/**
 * A protocol or call machine as a value: state in, state and effects out.
 *
 * The state is plain data. Timers are deadlines inside it: call `step` with the machine's wake-up event once
 * `deadline(state)` has passed. An early or repeated wake-up is harmless.
 */
export interface Machine<State, Event, Effect> {
  step(state: State, event: Event, now: Millis): Step<State, Effect>
  deadline(state: State): Millis | undefined
}

export interface Step<State, Effect> {
  readonly state: State
  readonly effects: readonly Effect[]
}
