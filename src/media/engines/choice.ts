import { GatewayError } from '../../base/index.ts'
import { findMediaProgram, mediaPackage } from './native/program.ts'

export interface EngineChoice {
  readonly name: 'native' | 'portable'
  /** For people: why it is this one. */
  readonly reason: string
}

/**
 * Which engine is to move the media. `auto`: the native one where its program is, else the portable one;
 * `TRUNKLINE_ENGINE` says what `auto` means instead.
 *
 * @throws GatewayError `MEDIA_ENGINE_MISSING`: the native one is asked for, but its program is not there.
 */
export function chooseEngine(
  wanted: 'auto' | 'native' | 'portable',
  env: Readonly<Record<string, string | undefined>>,
): EngineChoice {
  const asked = wanted === 'auto' ? fromEnvironment(env) : wanted
  if (asked === 'portable') return { name: 'portable', reason: 'it is asked for' }
  const program = findMediaProgram({ env })
  if (program !== undefined) return { name: 'native', reason: `its program is ${program.path}` }
  if (asked === 'native') throw new GatewayError('MEDIA_ENGINE_MISSING', `the native media engine: ${MISSING}`)
  return { name: 'portable', reason: `for the native engine ${MISSING}` }
}

function fromEnvironment({ TRUNKLINE_ENGINE: name }: Readonly<Record<string, string | undefined>>) {
  if (name === undefined || name === '') return undefined
  if (name === 'native' || name === 'portable') return name
  throw new GatewayError('CONFIG_INVALID', `TRUNKLINE_ENGINE is native or portable, not ${name}`)
}

const MISSING =
  process.platform === 'linux'
    ? `install Rust (or ${mediaPackage()}), then npm run build`
    : `Linux is needed, this is ${process.platform}`
