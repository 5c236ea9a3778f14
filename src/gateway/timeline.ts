import type { TimelineEntry } from '../api/index.ts'
import { type ByteString, decodeUtf8, type Millis } from '../base/index.ts'
import type { CallNote, LegId } from '../call/index.ts'
import type { MediaEvent } from '../media/index.ts'
import type { Flow, HostPort, SipMessage, TransportName } from '../sip/index.ts'
import { readableMessage } from './blank-secrets.ts'
import { describeMedia } from './describe-media.ts'

/** A SIP message of a call, as it crossed the wire. */
export interface MessageSeen {
  readonly direction: 'in' | 'out'
  readonly message: SipMessage
  readonly data: ByteString
  readonly repeated: boolean
  readonly remote: HostPort
  readonly transport: TransportName
}

/** One line, kept short; made readable only when somebody looks. */
type Kept = { readonly seq: number; readonly at: Millis; readonly leg?: LegId | undefined } & (
  | ({ readonly kind: 'sip'; readonly summary: string } & Omit<MessageSeen, 'message'>)
  | { readonly kind: 'media'; readonly event: MediaEvent }
  | { readonly kind: 'note'; readonly note: CallNote }
)

export type EntryReader = () => TimelineEntry

/** What happened in one call, in order, up to a bound; what comes later is counted. Times are Unix ms. */
export interface Timeline {
  message(at: Millis, leg: LegId | undefined, seen: MessageSeen): EntryReader | undefined
  media(at: Millis, event: MediaEvent): EntryReader | undefined
  note(at: Millis, note: CallNote): EntryReader | undefined
  entries(): readonly TimelineEntry[]
  readonly dropped: number
}

/** Message bytes kept of one call, beside the bound on its entries. */
const MESSAGE_BYTES = 262_144

export function createTimeline(maxEntries: number): Timeline {
  const kept: Kept[] = []
  let bytes = 0
  let dropped = 0
  const keep = (entry: Kept): EntryReader | undefined => {
    if (kept.length >= maxEntries || bytes > MESSAGE_BYTES) {
      dropped++
      return undefined
    }
    kept.push(entry)
    return () => readable(entry)
  }
  return {
    message(at, leg, seen) {
      const { message, ...rest } = seen // What was parsed of it is not kept: it takes more than the bytes.
      bytes += seen.data.length
      return keep({ seq: kept.length + 1, at, leg, kind: 'sip', summary: summaryOf(message), ...rest })
    },
    media: (at, event) =>
      keep({ seq: kept.length + 1, at, leg: 'side' in event ? event.side : undefined, kind: 'media', event }),
    note: (at, note) => keep({ seq: kept.length + 1, at, leg: note.leg, kind: 'note', note }),
    entries: () => kept.map(readable),
    get dropped() {
      return dropped
    },
  }
}

function readable(entry: Kept): TimelineEntry {
  const { seq, at } = entry
  const place = entry.leg === undefined ? { seq, at } : { seq, at, leg: entry.leg }
  switch (entry.kind) {
    case 'sip':
      return { ...place, kind: 'sip', ...readableSip(entry) }
    case 'media':
      return { ...place, kind: 'media', event: entry.event.kind, ...describeMedia(entry.event) }
    case 'note':
      return {
        ...place,
        kind: 'note',
        topic: entry.note.topic,
        summary: entry.note.text,
        ...(entry.note.facts === undefined ? {} : { facts: entry.note.facts }),
      }
  }
}

function readableSip({ direction, summary, data, repeated, remote, transport }: Kept & { readonly kind: 'sip' }) {
  return {
    direction,
    summary: decodeUtf8(summary),
    repeated,
    remote: `${remote.host}:${remote.port}`,
    transport,
    text: readableMessage(data),
  }
}

/** `INVITE sip:bob@example.test` or `180 Ringing (INVITE)`. */
function summaryOf(message: SipMessage): string {
  if (message.kind === 'request') return `${message.method} ${message.uri}`
  const [, method = '?'] = (message.headers.get('CSeq') ?? '').split(' ') // Unread: our 400 may repeat a broken one.
  return `${message.status} ${message.reason} (${method.slice(0, 32)})`
}

/** Where a message went or came from. */
export function remoteOf(flow: Flow): Pick<MessageSeen, 'remote' | 'transport'> {
  return { remote: flow.remote, transport: flow.transport }
}
