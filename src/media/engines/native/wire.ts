import { FAULTS, type FaultCode, GatewayError, Secret } from '../../../base/index.ts'
import type { Reply, Wire } from './protocol.ts'

/** The model on its way out. The one place where keys are revealed: the socket is ours alone. */
export function toWire<T>(value: T): Wire<T> {
  return revealed(value) as Wire<T>
}

/** What came in, as part of the model: keys are secret again from here on. */
export function fromWire<T>(value: Wire<T>): T {
  return concealed(value) as T
}

/**
 * The fault of a reply as an error. A code that we do not know is of a newer engine.
 *
 * @param doing What was asked for.
 */
export function faultOf({ code, message }: NonNullable<Reply['fault']>, doing: string): GatewayError {
  if (isFaultCode(code)) return new GatewayError(code, message)
  return new GatewayError('INTERNAL', `the media engine refused ${doing}: ${code}: ${message}`)
}

function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal()
  if (Array.isArray(value)) return value.map(revealed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, revealed(entry)]))
}

function concealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(concealed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  // An SDES key (RFC 4568) is the only thing of the model that is secret.
  const isKey = 'suite' in value && 'tag' in value && 'key' in value
  return Object.fromEntries(
    entries.map(([name, entry]) => [name, isKey && name === 'key' ? new Secret(String(entry)) : concealed(entry)]),
  )
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(FAULTS, code)
}
