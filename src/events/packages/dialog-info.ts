import type { ByteString } from '../../base/index.ts'
import { XML_DECLARATION, xmlText } from '../xml.ts'

/** RFC 4235 §3.7.1, without `proceeding`: our provisional answers have a tag. */
export type DialogState = 'trying' | 'early' | 'confirmed' | 'terminated'

/** One dialog of a user, as the user itself sees it (RFC 4235 §4.1). */
export interface DialogInfo {
  readonly id: string
  readonly state: DialogState
  /** `initiator`: the user calls. */
  readonly direction: 'initiator' | 'recipient'
  readonly callId?: ByteString | undefined
  readonly localTag?: ByteString | undefined
  readonly remoteTag?: ByteString | undefined
  readonly remote: Identity
}

interface Identity {
  readonly uri: ByteString
  readonly displayName?: ByteString | undefined
}

export interface DialogInfoDocument {
  /** Address of record of the user. */
  readonly entity: ByteString
  readonly version: number
  /** `partial`: only dialogs that changed. */
  readonly state: 'full' | 'partial'
  readonly dialogs: readonly DialogInfo[]
}

/** An `application/dialog-info+xml` document, RFC 4235 §4. */
export function dialogInfo({ entity, version, state, dialogs }: DialogInfoDocument): ByteString {
  const root = `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="${version}" state="${state}"`
  const lines = dialogs.map((dialog) => dialogElement(dialog, entity))
  return [XML_DECLARATION, `${root} entity="${xmlText(entity)}">`, ...lines, '</dialog-info>', ''].join('\r\n')
}

function dialogElement(dialog: DialogInfo, entity: ByteString): ByteString {
  const { id, state, direction, callId, localTag, remoteTag, remote } = dialog
  const attributes: readonly (readonly [string, ByteString | undefined])[] = [
    ['id', id],
    ['call-id', callId],
    ['local-tag', localTag],
    ['remote-tag', remoteTag],
    ['direction', direction],
  ]
  const written = attributes.map(([name, value]) => (value === undefined ? '' : ` ${name}="${xmlText(value)}"`))
  return [
    `<dialog${written.join('')}><state>${state}</state>`,
    `<local>${identity({ uri: entity })}<target uri="${xmlText(entity)}"/></local>`,
    `<remote>${identity(remote)}<target uri="${xmlText(remote.uri)}"/></remote></dialog>`,
  ].join('')
}

function identity({ uri, displayName }: Identity): ByteString {
  const display = displayName === undefined || displayName === '' ? '' : ` display="${xmlText(displayName)}"`
  return `<identity${display}>${xmlText(uri)}</identity>`
}
