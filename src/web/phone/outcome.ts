import type { Outcome } from './model.ts'

/** What JsSIP says of a call that failed or ended. */
export interface EndFacts {
  readonly originator: string
  /** One of `JsSIP.C.causes`. */
  readonly cause: string
  /** Status of the final response, if there was one. */
  readonly status?: number
  readonly reasonPhrase?: string
}

/** How a call that never was answered ended, in words a caller understands. */
export function failureOutcome(facts: EndFacts): Outcome {
  const known = facts.status === undefined ? CAUSES[facts.cause] : (STATUSES[facts.status] ?? CAUSES[facts.cause])
  const status = facts.status === undefined ? {} : { status: facts.status }
  const words = known?.words ?? unknownWords(facts)
  return { words, problem: known?.problem ?? true, ...status }
}

/** How a call that was answered ended. */
export function endOutcome(facts: EndFacts): Outcome {
  if (facts.cause !== 'Terminated') return failureOutcome(facts)
  return { words: facts.originator === 'remote' ? 'The other side hung up.' : 'You hung up.', problem: false }
}

/** Why the gateway did not accept our registration. */
export function registrationFailureWords(facts: { readonly cause: string; readonly status?: number }): string {
  if (facts.status === 401 || facts.status === 407 || facts.status === 403) {
    return `The gateway does not accept this user and password (${facts.status}).`
  }
  if (facts.status === 404) return 'The gateway does not know this user or domain (404).'
  if (facts.status === 503) return 'The gateway is too busy to register anybody now (503).'
  if (facts.cause === 'Authentication Error') return 'The gateway does not accept this user and password.'
  if (facts.cause === 'Connection Error') return 'The connection broke while registering.'
  if (facts.cause === 'Request Timeout') return 'The gateway did not answer the registration.'
  return facts.status === undefined ? facts.cause : `${facts.cause} (${facts.status}).`
}

/** Why the WebSocket is not there. `code` is the close code of RFC 6455 §7.4. */
export function disconnectWords(facts: { readonly code?: number; readonly reason?: string }): string {
  const reason = facts.reason === undefined || facts.reason === '' ? '' : ` (${facts.reason})`
  if (facts.code === 1001) return `The gateway is going away${reason}; trying again.`
  if (facts.code === 1008 || facts.code === 1013) return `The gateway refused the connection${reason}; trying again.`
  if (facts.code === 1009) return `A message was too big for the gateway${reason}; trying again.`
  return `The gateway cannot be reached${reason}; trying again.`
}

function unknownWords(facts: EndFacts): string {
  if (facts.status === undefined) return `${facts.cause}.`
  return `The call failed: ${facts.status} ${facts.reasonPhrase ?? facts.cause}.`
}

const bad = (words: string): Outcome => ({ words, problem: true })
const fine = (words: string): Outcome => ({ words, problem: false })

const STATUSES: Readonly<Record<number, Outcome>> = {
  400: bad('The gateway did not understand the call (400).'),
  401: bad('The gateway does not accept this user and password (401).'),
  403: bad('You are not allowed to call this number (403).'),
  404: bad('There is nobody with that number or name (404).'),
  407: bad('The gateway does not accept this user and password (407).'),
  408: bad('Nobody answered (408).'),
  410: bad('That number is no longer in use (410).'),
  480: bad('Not available: no phone is connected there, or nobody answered (480).'),
  484: bad('The number is not complete (484).'),
  486: bad('Busy (486).'),
  487: fine('The call was cancelled (487).'),
  488: bad('The two sides have no codec or media type in common (488).'),
  500: bad('The gateway or the other side had an internal error (500).'),
  502: bad('The other network gave a bad answer (502).'),
  503: bad('No capacity, or the other network cannot be reached (503).'),
  504: bad('The other network did not answer in time (504).'),
  600: bad('Busy everywhere (600).'),
  603: bad('The other side declined the call (603).'),
  604: bad('There is nobody with that number or name (604).'),
  606: bad('The two sides have no codec or media type in common (606).'),
}

const CAUSES: Readonly<Record<string, Outcome>> = {
  Canceled: fine('Cancelled.'),
  Rejected: fine('You declined the call.'),
  'No Answer': bad('Nobody answered.'),
  Expires: bad('Nobody answered in time.'),
  'Connection Error': bad('The connection to the gateway broke.'),
  'Request Timeout': bad('The gateway did not answer.'),
  'WebRTC Error': bad('The browser could not set up the media of this call.'),
  'Bad Media Description': bad('The answer of the other side could not be used by this browser.'),
  'User Denied Media Access': bad('The microphone was not allowed.'),
  'RTP Timeout': bad('The media stopped arriving.'),
  'No ACK': bad('The other side never confirmed the answer.'),
  'Dialog Error': bad('The two sides lost track of the call.'),
  'Internal Error': bad('The phone on this page had an internal error.'),
}
