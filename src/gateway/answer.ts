import type { HeaderField } from '../sip/index.ts'

/** A response that is sent at once. */
export interface Answer {
  readonly status: number
  readonly headers: readonly HeaderField[]
}

export function answer(status: number, headers: readonly HeaderField[] = []): Answer {
  return { status, headers }
}
