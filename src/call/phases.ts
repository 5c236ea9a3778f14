/** Where a call stands as a whole (RFC 7092 §3.2: a B2BUA couples two dialogs). Legs have their own states. */
export type Phase =
  | 'idle'
  | 'routing'
  | 'inviting'
  | 'ringing'
  | 'answering'
  | 'talking'
  | 'reoffering'
  | 'ending'
  | 'ended'

/** What moves a call from one phase to the next. */
export type Trigger =
  | 'offered'
  | 'opened'
  | 'provisional'
  | 'next-group'
  | 'answered'
  | 'acknowledged'
  | 'reoffered'
  | 'settled'
  | 'hungup'
  | 'released'

/** The phases of a call and what leads from one to the next. Anything not here cannot happen. */
export const CALL: Readonly<Record<Phase, Partial<Record<Trigger, Phase>>>> = {
  idle: { offered: 'routing', hungup: 'ending' },
  routing: { opened: 'inviting', answered: 'answering', hungup: 'ending' },
  inviting: { provisional: 'ringing', answered: 'answering', hungup: 'ending' },
  ringing: { 'next-group': 'inviting', answered: 'answering', hungup: 'ending' },
  answering: { acknowledged: 'talking', hungup: 'ending' },
  talking: { reoffered: 'reoffering', hungup: 'ending' },
  reoffering: { settled: 'talking', hungup: 'ending' },
  ending: { released: 'ended' },
  ended: {},
}

export const PHASES = Object.keys(CALL) as readonly Phase[]

/** Whether `goal` can be reached from `from`. */
export function reaches(from: Phase, goal: Phase): boolean {
  const seen = new Set<Phase>([from])
  for (const phase of seen) for (const next of Object.values(CALL[phase])) seen.add(next)
  return seen.has(goal)
}
