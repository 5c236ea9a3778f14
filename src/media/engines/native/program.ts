import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GatewayError } from '../../../base/index.ts'

/** The engine's program and where it was found. */
export interface MediaProgram {
  readonly path: string
  readonly source: 'environment' | 'package' | 'build'
}

/** Places to look in besides the usual ones. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file from whose place packages are resolved. */
  readonly from: string
}

/**
 * Looks for the program: named by `TRUNKLINE_MEDIA_BIN`, prebuilt in the package of this platform, built by
 * `npm run build`, in this order.
 *
 * @returns `undefined`: there is none.
 * @throws GatewayError `MEDIA_ENGINE_MISSING`: one is named, but cannot be run.
 */
export function findMediaProgram(surroundings: Partial<Surroundings> = {}): MediaProgram | undefined {
  const { env = process.env, from = import.meta.url } = surroundings
  const named = env.TRUNKLINE_MEDIA_BIN
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return { path: named, source: 'environment' }
    throw new GatewayError('MEDIA_ENGINE_MISSING', `TRUNKLINE_MEDIA_BIN names ${named}, which cannot be run`)
  }
  const packaged = fromPackage(from)
  if (packaged !== undefined) return { path: packaged, source: 'package' }
  const built = BUILT.find(isProgram)
  return built === undefined ? undefined : { path: built, source: 'build' }
}

/** Name of the package that brings the program for this platform (`scripts/package-media.mjs` makes it). */
export function mediaPackage(): string {
  const { platform, arch } = process
  const libc = platform !== 'linux' ? '' : isGlibc() ? '-gnu' : '-musl'
  return `@trunkline/media-${platform}-${arch}${libc}`
}

function fromPackage(from: string): string | undefined {
  try {
    const program = join(dirname(createRequire(from).resolve(`${mediaPackage()}/package.json`)), PROGRAM)
    return isProgram(program) ? program : undefined
  } catch {
    return undefined // Not installed.
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isGlibc(): boolean {
  const report: unknown = process.report.getReport()
  const header = typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header
}

const PROGRAM = 'trunkline-media'
/** Beside the bundle in `dist`; when run from the sources, in the `dist` of the repository. */
const BUILT = ['./native/', '../../../../dist/native/'].map((place) =>
  fileURLToPath(new URL(`${place}${PROGRAM}`, import.meta.url)),
)
