/** Milliseconds since an epoch that the caller chose. Pure code is told the time; it never asks. */
export type Millis = number

/** The earlier of two optional deadlines. */
export function earliest(a: Millis | undefined, b: Millis | undefined): Millis | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return a < b ? a : b
}
