import type { Command } from './command.ts'

/** The headless caller, loaded only when it is asked for. It prints its own help. */
export function callCommand(load: () => Promise<(argv: readonly string[]) => Promise<number>>): Command {
  return {
    summary: 'make a test call over SIP or WebRTC and measure it',
    async run(argv) {
      const runCall = await load()
      return runCall(argv)
    },
  }
}
