import { asGatewayError, type ByteString, type FaultCode, GatewayError, LIMITS } from '../base/index.ts'
import { scanHeaderSection } from './message/header-lines.ts'
import { ID } from './message/header-names.ts'
import { Headers } from './message/headers.ts'
import { parseStartLine } from './message/start-line.ts'
import { malformed, parseNumber, shown } from './message/syntax.ts'

/**
 * Cuts a byte stream into messages (RFC 3261 §18.3). One per connection.
 *
 * Content-Length is obligatory on a stream; without a believable one nobody knows where the next message starts, so
 * such a stream is broken for good.
 */
export interface StreamFramer {
  push(chunk: ByteString): Framed
  /** Bytes that wait for the rest of their message. */
  readonly buffered: number
}

export interface Framed {
  readonly messages: readonly ByteString[]
  /** Keep-alives (CRLFCRLF, RFC 5626 §3.5.1) that want a CRLF. */
  readonly pongs: number
  /**
   * Framing is lost after `messages`: hand `data`, the offending bytes, to the endpoint, which may answer them, and close
   * the connection. Whatever is pushed later is ignored.
   */
  readonly broken?: { readonly code: FaultCode; readonly detail: string; readonly data: ByteString }
}

/** Longest tail of one chunk that can belong to an empty line whose end is in the next: CR LF CR. */
const TAIL_BYTES = 3

export function createStreamFramer(): StreamFramer {
  return new Framer()
}

class Framer implements StreamFramer {
  /** The message that has begun, in the pieces that came; joined only when it is whole. */
  #pieces: ByteString[] = []
  #buffered = 0
  /** Bytes of the message that has begun, once its header section is there. */
  #needed: number | undefined
  #lineFeedsBetween = 0
  #isBroken = false

  get buffered(): number {
    return this.#buffered
  }

  push(chunk: ByteString): Framed {
    const messages: ByteString[] = []
    let pongs = 0
    let at = 0
    while (at < chunk.length && !this.#isBroken) {
      if (this.#buffered === 0) {
        at = this.#skipLineBreaks(chunk, at)
        pongs += Math.floor(this.#lineFeedsBetween / 2)
        this.#lineFeedsBetween %= 2
        if (at === chunk.length) break
        this.#lineFeedsBetween = 0
      }
      try {
        at = this.#take(chunk, at, messages)
      } catch (thrown) {
        const { code, message } = asGatewayError(thrown)
        return { messages, pongs, broken: { code, detail: message, data: this.#breakOff() } }
      }
    }
    return { messages, pongs }
  }

  #skipLineBreaks(chunk: ByteString, from: number): number {
    let at = from
    for (; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (code === 0x0a) this.#lineFeedsBetween++
      else if (code !== 0x0d) break
    }
    return at
  }

  /** Takes bytes of one message, at most to its end. Returns the place behind them. */
  #take(chunk: ByteString, at: number, messages: ByteString[]): number {
    const end = this.#needed === undefined ? this.#takeHead(chunk, at) : this.#takeBody(chunk, at, this.#needed)
    if (this.#buffered !== this.#needed) return end
    messages.push(this.#joined())
    this.#reset()
    return end
  }

  #takeHead(chunk: ByteString, at: number): number {
    const tail = this.#lastBytes()
    const visible = chunk.slice(at, at + LIMITS.sipHeaderBytes + 1)
    const found = endOfHead(tail + visible)
    const end = at + (found < 0 ? visible.length : found - tail.length)
    this.#keep(chunk.slice(at, end))
    if (this.#buffered > LIMITS.sipHeaderBytes) throw tooLarge(`The headers exceed ${LIMITS.sipHeaderBytes} bytes`)
    if (found < 0) return end
    const needed = this.#buffered + contentLengthOf(this.#joined())
    if (needed > LIMITS.sipMessageBytes) throw tooLarge(`${needed} bytes, at most ${LIMITS.sipMessageBytes}`)
    this.#needed = needed
    return end
  }

  #takeBody(chunk: ByteString, at: number, needed: number): number {
    const end = Math.min(at + needed - this.#buffered, chunk.length)
    this.#keep(chunk.slice(at, end))
    return end
  }

  #lastBytes(): ByteString {
    let tail = ''
    for (let i = this.#pieces.length - 1; i >= 0 && tail.length < TAIL_BYTES; i--) tail = (this.#pieces[i] ?? '') + tail
    return tail.slice(-TAIL_BYTES)
  }

  #keep(piece: ByteString): void {
    this.#pieces.push(piece)
    this.#buffered += piece.length
  }

  #joined(): ByteString {
    if (this.#pieces.length > 1) this.#pieces = [this.#pieces.join('')]
    return this.#pieces[0] ?? ''
  }

  #reset(): void {
    this.#pieces = []
    this.#buffered = 0
    this.#needed = undefined
  }

  #breakOff(): ByteString {
    const data = this.#joined()
    this.#isBroken = true
    this.#reset()
    return data
  }
}

/** The place behind the empty line that ends the header section; -1 if it is not there. */
function endOfHead(text: ByteString): number {
  const proper = text.indexOf('\n\r\n')
  const bare = (proper < 0 ? text : text.slice(0, proper + 1)).indexOf('\n\n')
  if (bare >= 0) return bare + 2
  return proper < 0 ? -1 : proper + 3
}

/** The bytes that follow this header section. A stream that does not say is lost. */
function contentLengthOf(head: ByteString): number {
  const headers = new Headers(scanHeaderSection(head, parseStartLine(head, 0).end).lines)
  const values = headers.all(ID.contentLength)
  const [text = ''] = values
  if (values.length !== 1) throw malformed(`${values.length} Content-Length headers in a stream`)
  const length = parseNumber(text, Number.MAX_SAFE_INTEGER)
  if (length === undefined) throw malformed(`Content-Length ${shown(text)} is no length`)
  return length
}

function tooLarge(what: string): GatewayError {
  return new GatewayError('SIP_MESSAGE_TOO_LARGE', what)
}
