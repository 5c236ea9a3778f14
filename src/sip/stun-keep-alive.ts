import type { ByteString } from '../base/index.ts'
import type { HostPort } from './flow.ts'
import { ipv4Bytes, ipv6Groups } from './message/ip-address.ts'

const HEADER_BYTES = 20
const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101
const BINDING_ERROR = 0x0111
const MAGIC_COOKIE = '\x21\x12\xa4\x42'
const ERROR_CODE = 0x0009
const UNKNOWN_ATTRIBUTES = 0x000a
const XOR_MAPPED_ADDRESS = 0x0020
/** Attributes from here on may be ignored by whoever does not know them (RFC 8489 §14). */
const COMPREHENSION_OPTIONAL = 0x8000
/** As many as an answer names; it must not become much longer than what it answers. */
const UNKNOWN_TOLD = 8

/**
 * The answer to a STUN Binding request on a SIP port (RFC 5626 §4.4.2, RFC 8489 §6.3.1): the address it came from, by
 * which the sender learns that its NAT still keeps the way open. `undefined`: no such request.
 *
 * There are no credentials in this use of STUN: every attribute that has to be understood is refused with 420.
 */
export function answerStun(data: ByteString, remote: HostPort): ByteString | undefined {
  if (data.length < HEADER_BYTES || uint16(data, 0) !== BINDING_REQUEST) return undefined
  if (data.slice(4, 8) !== MAGIC_COOKIE || uint16(data, 2) !== data.length - HEADER_BYTES) return undefined
  const unknown = unknownAttributes(data)
  if (unknown === undefined) return undefined
  const transaction = data.slice(8, HEADER_BYTES)
  if (unknown.length > 0) return message(BINDING_ERROR, transaction, errorAttributes(unknown.slice(0, UNKNOWN_TOLD)))
  const address = xorMappedAddress(remote, transaction)
  return address === undefined ? undefined : message(BINDING_SUCCESS, transaction, address)
}

/** Types of the attributes that would have to be understood; `undefined` if the list is broken. */
function unknownAttributes(data: ByteString): readonly number[] | undefined {
  const unknown: number[] = []
  let at = HEADER_BYTES
  while (at < data.length) {
    if (at + 4 > data.length) return undefined
    const type = uint16(data, at)
    if (type < COMPREHENSION_OPTIONAL) unknown.push(type)
    at += 4 + padded(uint16(data, at + 2))
  }
  return at === data.length ? unknown : undefined
}

function errorAttributes(unknown: readonly number[]): ByteString {
  const error = attribute(ERROR_CODE, '\x00\x00\x04\x14Unknown Attribute')
  return error + attribute(UNKNOWN_ATTRIBUTES, unknown.map(bytes16).join(''))
}

/** RFC 8489 §14.2: each byte is mixed with the magic cookie and, of IPv6, with the transaction id. */
function xorMappedAddress({ host, port }: HostPort, transaction: ByteString): ByteString | undefined {
  const v4 = ipv4Bytes(host)
  const address = v4 ?? ipv6Groups(host)?.flatMap((group) => [group >> 8, group & 0xff])
  if (address === undefined) return undefined
  const mask = MAGIC_COOKIE + transaction
  const mixed = address.map((byte, at) => String.fromCharCode(byte ^ mask.charCodeAt(at))).join('')
  return attribute(XOR_MAPPED_ADDRESS, `\x00${v4 === undefined ? '\x02' : '\x01'}${bytes16(port ^ 0x2112)}${mixed}`)
}

function message(type: number, transaction: ByteString, attributes: ByteString): ByteString {
  return bytes16(type) + bytes16(attributes.length) + MAGIC_COOKIE + transaction + attributes
}

function attribute(type: number, value: ByteString): ByteString {
  return bytes16(type) + bytes16(value.length) + value.padEnd(padded(value.length), '\x00')
}

function padded(length: number): number {
  return length + ((4 - (length % 4)) % 4)
}

function uint16(data: ByteString, at: number): number {
  return data.charCodeAt(at) * 256 + data.charCodeAt(at + 1)
}

function bytes16(value: number): ByteString {
  return String.fromCharCode(value >> 8, value & 0xff)
}
