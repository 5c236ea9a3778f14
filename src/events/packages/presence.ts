import { type ByteString, GatewayError } from '../../base/index.ts'
import { parseXml, writeXml, XML_DECLARATION, type XmlElement, xmlText } from '../xml.ts'

/** What one device published (RFC 3863), read and taken apart: nothing of it is handed on as it came. */
export interface PublishedPresence {
  /** Elements under `<presence>`: tuples, persons, devices, notes. */
  readonly elements: readonly XmlElement[]
}

export interface PresenceDocument {
  /** Address of record. */
  readonly entity: ByteString
  /** The newest first. Empty: what the registration says is told. */
  readonly published: readonly PublishedPresence[]
  readonly isRegistered: boolean
}

/** @throws GatewayError `SIP_MALFORMED_MESSAGE`: no well-formed PIDF document. */
export function readPresence(body: ByteString): PublishedPresence {
  const root = parseXml(body)
  if (localName(root) !== 'presence')
    throw new GatewayError('SIP_MALFORMED_MESSAGE', 'The body is no presence document')
  const namespaces = [...root.attributes].filter(([name]) => name.startsWith('xmlns'))
  const elements = root.children.flatMap((child) => {
    return typeof child === 'string' ? [] : [{ ...child, attributes: new Map([...namespaces, ...child.attributes]) }]
  })
  return { elements }
}

/**
 * An `application/pidf+xml` document (RFC 3863): the tuples of all devices (RFC 3903 §4.1 leaves composition to us); of
 * two elements with one id the newer one counts.
 */
export function presence({ entity, published, isRegistered }: PresenceDocument): ByteString {
  const seen = new Set<string>()
  const elements = published
    .flatMap((one) => one.elements)
    .filter((element) => {
      const key = `${localName(element)} ${element.attributes.get('id') ?? ''}`
      return !seen.has(key) && seen.add(key) !== undefined
    })
  const told = elements.length > 0 ? elements.map(writeXml) : [registrationTuple(entity, isRegistered)]
  const root = `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${xmlText(entity)}">`
  return [XML_DECLARATION, root, ...told, '</presence>', ''].join('\r\n')
}

function registrationTuple(entity: ByteString, isRegistered: boolean): ByteString {
  const basic = isRegistered ? 'open' : 'closed'
  const contact = isRegistered ? `<contact>${xmlText(entity)}</contact>` : ''
  return `<tuple id="registration"><status><basic>${basic}</basic></status>${contact}</tuple>`
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1)
}
