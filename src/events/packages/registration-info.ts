import type { ByteString } from '../../base/index.ts'
import { XML_DECLARATION, xmlText } from '../xml.ts'

/** One contact of a registration (RFC 3680 §5.3). */
export interface RegisteredContact {
  readonly id: string
  readonly uri: ByteString
  readonly callId: ByteString
  readonly sequence: number
  /** `registered` is there, the others are gone. */
  readonly event: 'registered' | 'unregistered' | 'expired'
  readonly expiresSeconds: number
}

export interface RegistrationDocument {
  /** Address of record. */
  readonly entity: ByteString
  readonly version: number
  readonly contacts: readonly RegisteredContact[]
}

/** An `application/reginfo+xml` document with the whole state, RFC 3680 §5. */
export function registrationInfo({ entity, version, contacts }: RegistrationDocument): ByteString {
  const isActive = contacts.some(({ event }) => event === 'registered')
  const state = isActive ? 'active' : contacts.length > 0 ? 'terminated' : 'init'
  return [
    XML_DECLARATION,
    `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="full">`,
    `<registration aor="${xmlText(entity)}" id="1" state="${state}">`,
    ...contacts.map(contactElement),
    '</registration>',
    '</reginfo>',
    '',
  ].join('\r\n')
}

function contactElement({ id, uri, callId, sequence, event, expiresSeconds }: RegisteredContact): ByteString {
  const state = event === 'registered' ? 'active' : 'terminated'
  const expires = event === 'registered' ? ` expires="${expiresSeconds}"` : ''
  const origin = `callid="${xmlText(callId)}" cseq="${sequence}"`
  return `<contact id="${xmlText(id)}" state="${state}" event="${event}"${expires} ${origin}><uri>${xmlText(uri)}</uri></contact>`
}
