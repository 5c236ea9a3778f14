import type {
  ApiError,
  ApiEvent,
  CallDetail,
  CallView,
  PageInfo,
  SessionGrant,
  SessionRequest,
} from '../../api/model.ts'
import { createEventParser } from './server-sent-events.ts'

/** A refusal of the gateway's API; `status` is HTTP's. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Everything of `/v1` that the page asks for. Each method throws ApiRefusal, or TypeError if nobody answers. */
export interface ApiClient {
  readonly pageInfo: () => Promise<PageInfo>
  readonly session: (request: SessionRequest) => Promise<SessionGrant>
  readonly calls: (token: string, signal: AbortSignal) => Promise<readonly CallView[]>
  readonly call: (token: string, id: string, signal: AbortSignal) => Promise<CallDetail>
  /**
   * Follows the gateway's events until the stream ends; `onOpen` runs when they begin to flow.
   */
  readonly events: (token: string, signal: AbortSignal, onOpen: () => void) => AsyncIterable<ApiEvent>
}

/** Speaks to the gateway that served this page. `base` ends in a slash. */
export function createApiClient(base: string): ApiClient {
  const get = async <T>(path: string, init: RequestInit): Promise<T> => (await ask(`${base}${path}`, init)).json() as T
  return {
    pageInfo: () => get<PageInfo>('page.json', {}),
    session: (request) =>
      get<SessionGrant>('v1/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      }),
    calls: async (token, signal) => {
      const { calls } = await get<{ readonly calls: readonly CallView[] }>('v1/calls', {
        headers: bearer(token),
        signal,
      })
      return calls
    },
    call: (token, id, signal) =>
      get<CallDetail>(`v1/calls/${encodeURIComponent(id)}`, { headers: bearer(token), signal }),
    events: (token, signal, onOpen) => followEvents(`${base}v1/events`, token, signal, onOpen),
  }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

async function ask(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { credentials: 'omit', ...init })
  if (response.ok) return response
  const body = (await response.json().catch(() => ({}))) as Partial<ApiError>
  throw new ApiRefusal(response.status, body.error?.message ?? `the gateway answered ${response.status}`)
}

/** `EventSource` cannot carry a token, so the stream is read by hand. */
async function* followEvents(
  url: string,
  token: string,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncIterable<ApiEvent> {
  const { body } = await ask(url, { headers: bearer(token), signal })
  if (body === null) return
  onOpen()
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const parse = createEventParser()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const { event, data } of parse(decoder.decode(value, { stream: true }))) {
        if (isKnown(event)) yield { event, data: JSON.parse(data) } as ApiEvent
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined) // Already closed by the abort.
  }
}

const isKnown = (event: string): event is ApiEvent['event'] =>
  event === 'call' || event === 'timeline' || event === 'quality'
