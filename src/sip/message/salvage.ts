import type { ByteString } from '../../base/index.ts'
import { idOfName, nameOf } from './header-names.ts'
import { Headers } from './headers.ts'
import type { HeaderField, SipRequest } from './model.ts'
import { isToken } from './syntax.ts'

/** Headers an answer copies from its request. */
const NEEDED = ['Via', 'From', 'To', 'Call-ID', 'CSeq']

/** How far into a broken message we look. */
const SEARCHED_BYTES = 8_192

/**
 * What can be read of a request that `parseMessage` refused: enough to tell its sender so (RFC 3261 §8.2.6.2).
 *
 * @returns undefined if it is no request, is an ACK, or lacks what an answer needs.
 */
export function salvageRequest(data: ByteString): SipRequest | undefined {
  const [first = '', ...lines] = unfoldedLines(data.slice(0, SEARCHED_BYTES))
  const [method = '', ...rest] = first.split(' ').filter((word) => word !== '')
  const version = rest.pop() ?? ''
  if (!/^SIP\/\d+\.\d+$/i.test(version) || !isToken(method) || method === 'ACK') return undefined
  const fields = lines.flatMap(neededField).filter(isFirstOrVia)
  const headers = Headers.of(fields)
  if (NEEDED.some((name) => !headers.has(name)) || !hasUsableVia(headers)) return undefined
  return { kind: 'request', method, uri: rest.join(' '), headers, body: '' }
}

function unfoldedLines(text: ByteString): readonly ByteString[] {
  const start = text.search(/[^\r\n]/)
  const end = text.search(/[^\r\n]\r?\n\r?\n/)
  const head = text.slice(Math.max(start, 0), end < 0 ? text.length : end + 1)
  return head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
}

function neededField(line: ByteString): readonly HeaderField[] {
  const colon = line.indexOf(':')
  if (colon < 1) return []
  const name = nameOf(idOfName(line.slice(0, colon).trim()))
  const value = line
    .slice(colon + 1)
    .replace(/\r/g, ' ')
    .trim()
  return NEEDED.includes(name) && value !== '' ? [{ name, value }] : []
}

/** Of what may stand only once the first counts. */
function isFirstOrVia({ name }: HeaderField, place: number, all: readonly HeaderField[]): boolean {
  return name === 'Via' || all.findIndex((other) => other.name === name) === place
}

function hasUsableVia(headers: Headers): boolean {
  try {
    return headers.viaSpan.transport !== ''
  } catch {
    return false // Nowhere to send an answer to.
  }
}
