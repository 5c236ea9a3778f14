import type { HeaderField } from './message/model.ts'

/** What we do with a method (RFC 3261 §20.5: `Allow` lists those we take). */
interface Method {
  readonly name: string
  /** Taken inside the dialogs of a call. */
  readonly inCall: boolean
  /**
   * Outside of every dialog: `taken`; `no-dialog`, where it means nothing and gets 481 (RFC 3261 §15.1.2, RFC 3311 §5.2,
   * RFC 6086 §4.2.1); or `refused` with 405.
   */
  readonly outside: 'taken' | 'no-dialog' | 'refused'
}

/** Every method of an RFC that we know. A request with any other is answered 501. */
const METHODS: readonly Method[] = [
  { name: 'INVITE', inCall: true, outside: 'taken' },
  { name: 'ACK', inCall: true, outside: 'taken' },
  { name: 'CANCEL', inCall: true, outside: 'taken' },
  { name: 'BYE', inCall: true, outside: 'no-dialog' },
  { name: 'UPDATE', inCall: true, outside: 'no-dialog' },
  { name: 'INFO', inCall: true, outside: 'no-dialog' },
  { name: 'PRACK', inCall: true, outside: 'no-dialog' },
  { name: 'NOTIFY', inCall: true, outside: 'no-dialog' },
  { name: 'REFER', inCall: true, outside: 'refused' },
  { name: 'OPTIONS', inCall: true, outside: 'taken' },
  { name: 'REGISTER', inCall: false, outside: 'taken' },
  { name: 'MESSAGE', inCall: false, outside: 'taken' },
  { name: 'SUBSCRIBE', inCall: false, outside: 'taken' },
  { name: 'PUBLISH', inCall: false, outside: 'taken' },
]

const OUTSIDE = new Map(METHODS.map(({ name, outside }) => [name, outside]))

/** What becomes of a request with that method outside of every dialog; `undefined` for a method we do not know. */
export function outsideDialog(method: string): Method['outside'] | undefined {
  return OUTSIDE.get(method)
}

/** Everything we take anywhere: for answers outside of calls. */
export const ALLOW: HeaderField = allow(({ inCall, outside }) => inCall || outside === 'taken')

/** What we take inside of a call. */
export const ALLOW_IN_CALL: HeaderField = allow(({ inCall }) => inCall)

/** An extension that we know (RFC 3261 §19.2) and where it may be required of us. */
interface OptionTag {
  readonly name: string
  readonly inCall: boolean
  readonly inRegister: boolean
}

const OPTION_TAGS: readonly OptionTag[] = [
  { name: '100rel', inCall: true, inRegister: false },
  { name: 'timer', inCall: true, inRegister: false },
  { name: 'replaces', inCall: true, inRegister: false },
  { name: 'norefersub', inCall: true, inRegister: false },
  { name: 'path', inCall: false, inRegister: true },
]

/** Every extension we know. */
export const SUPPORTED: HeaderField = supported(() => true)

/** Those that mean something in a call. */
export const SUPPORTED_IN_CALL: HeaderField = supported(({ inCall }) => inCall)

/** Whether an extension may be required of us by that method. */
export function isSupported(tag: string, method: string): boolean {
  const known = OPTION_TAGS.find(({ name }) => name === tag.toLowerCase())
  return method === 'REGISTER' ? known?.inRegister === true : known?.inCall === true
}

function supported(isKnown: (tag: OptionTag) => boolean): HeaderField {
  const names = OPTION_TAGS.filter(isKnown).map(({ name }) => name)
  return { name: 'Supported', value: names.join(', ') }
}

function allow(isTaken: (method: Method) => boolean): HeaderField {
  const names = METHODS.filter(isTaken).map(({ name }) => name)
  return { name: 'Allow', value: names.join(', ') }
}
