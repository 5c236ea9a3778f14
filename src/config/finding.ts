import type { Path } from './raw.ts'

/** A mistake without its place in the text. */
export interface Finding {
  readonly path: Path
  readonly expected: string
  readonly hint?: string
}
