export interface ServerSentEvent {
  readonly event: string
  readonly data: string
}

/** Longest event that is kept, in characters: a gateway that never ends a line must not fill the page's memory. */
const MAX_PENDING = 2_000_000

/**
 * Parser of `text/event-stream`: give it pieces of text as they come, get the events that are complete. Comments, ids
 * and retry hints are left out.
 */
export function createEventParser(): (text: string) => readonly ServerSentEvent[] {
  let pending = ''
  let event = ''
  let data: string[] = []

  const onLine = (line: string): ServerSentEvent | undefined => {
    if (line !== '') {
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'event') event = value
      if (field === 'data') data.push(value)
      return undefined
    }
    const complete = data.length === 0 ? undefined : { event: event === '' ? 'message' : event, data: data.join('\n') }
    event = ''
    data = []
    return complete
  }

  return (text) => {
    // A CR at the end may be half of a CRLF: it waits for the next piece.
    const all = pending + text
    const whole = all.endsWith('\r') ? all.slice(0, -1) : all
    const lines = whole.split(/\r\n|\r|\n/)
    pending = `${lines.pop() ?? ''}${all.slice(whole.length)}`
    if (pending.length > MAX_PENDING) throw new Error('an event of the gateway is too long')
    return lines.map(onLine).filter((complete) => complete !== undefined)
  }
}
