import { VERSION } from '../version.ts'
import { type Command, readArguments } from './command.ts'

export const version: Command = {
  summary: 'print the version',
  help: 'Usage: trunkline version\n\nPrints the version of Trunkline and of Node.\n',
  async run(argv, terminal) {
    readArguments(argv, {})
    terminal.out(`trunkline ${VERSION} (node ${process.versions.node})\n`)
    return 0
  },
}
