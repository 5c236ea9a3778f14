import { asGatewayError } from '../base/index.ts'
import type { MediaEngine, MediaSessionId } from '../media/index.ts'
import type { CoreInput, CoreOutput } from './core-model.ts'

type MediaCommand = Extract<CoreOutput, { readonly kind: 'media-open' | 'media-change' | 'media-close' }>

/** Carries out the core's media commands on an engine and hands its answers and events back. */
export interface MediaExecutor {
  execute(command: MediaCommand): void
  /** Open sessions, as far as we asked for them. */
  readonly sessions: number
  /** Settles when the commands given so far are done. */
  idle(): Promise<void>
}

/** Commands of one session are carried out one after the other, those of different sessions side by side. */
export function createMediaExecutor(engine: MediaEngine, report: (input: CoreInput) => void): MediaExecutor {
  const last = new Map<MediaSessionId, Promise<void>>()
  const open = new Set<MediaSessionId>()
  const run = async (command: MediaCommand): Promise<void> => {
    const { call } = command
    try {
      if (command.kind === 'media-open') {
        report({ kind: 'media-opened', call, op: command.op, opened: await engine.open(command.spec) })
        open.add(command.spec.id)
      } else if (command.kind === 'media-change') {
        report({
          kind: 'media-changed',
          call,
          op: command.op,
          result: await engine.change(command.session, command.change),
        })
      } else {
        open.delete(command.session)
        report({ kind: 'media-closed', call, summary: await engine.close(command.session) })
      }
    } catch (thrown) {
      const { code, message } = asGatewayError(thrown)
      if (command.kind !== 'media-close') report({ kind: 'media-failed', call, op: command.op, code, detail: message })
      else report({ kind: 'media-closed', call, summary: { id: command.session, sides: [] } }) // Gone is closed.
    }
  }
  return {
    execute(command) {
      const session = command.kind === 'media-open' ? command.spec.id : command.session
      const before = last.get(session)
      const done = before === undefined ? run(command) : before.then(() => run(command))
      last.set(session, done)
      void done.then(() => {
        if (last.get(session) === done) last.delete(session)
      })
    },
    get sessions() {
      return open.size
    },
    async idle() {
      while (last.size > 0) await Promise.all(last.values())
    },
  }
}

/** Reads the engine's events until it stops. */
export async function followEvents(engine: MediaEngine, report: (input: CoreInput) => void): Promise<void> {
  for await (const event of engine.events) report({ kind: 'media', event })
}
