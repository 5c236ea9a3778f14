import { UA, WebSocketInterface } from 'jssip'
import type { RTCSession } from 'jssip/lib/RTCSession'
import type { RTCSessionEvent } from 'jssip/lib/UA'
import type { Account, Connection, Registration } from './model.ts'
import { disconnectWords, registrationFailureWords } from './outcome.ts'

/** What happens on the line to the gateway, apart from calls. */
export interface LineListener {
  readonly connection: (connection: Connection) => void
  readonly registration: (registration: Registration) => void
  readonly incoming: (session: RTCSession, callId: string) => void
}

/** One account, registered over one WebSocket. */
export interface Line {
  readonly call: (target: string, options: CallOptions) => void
  /** Unregisters and closes the WebSocket. */
  readonly close: () => void
}

export interface CallOptions {
  readonly stream: MediaStream
  /** Told before the INVITE is made, so that no event is missed. */
  readonly onSession: (session: RTCSession, callId: string) => void
}

/** No STUN server is asked: the gateway is ICE-lite and learns our address from our checks. */
export const PEER_CONNECTION: RTCConfiguration = { iceServers: [], bundlePolicy: 'max-bundle' }

/** Registers `account` through the WebSocket at `socketUrl` (RFC 7118) and keeps it so until closed. */
export function openLine(account: Account, socketUrl: string, listener: LineListener): Line {
  const ua = new UA({
    sockets: [new WebSocketInterface(socketUrl)],
    uri: `sip:${account.user}@${account.domain}`,
    password: account.password,
    register: true,
    user_agent: 'Trunkline page',
    ...(account.displayName === undefined ? {} : { display_name: account.displayName }),
  })
  let expected: CallOptions['onSession'] | undefined
  followLine(ua, listener)
  ua.on('newRTCSession', ({ session, request, originator }: RTCSessionEvent) => {
    const callId = 'call_id' in request ? request.call_id : request.getHeader('Call-ID')
    if (String(originator) === 'remote') listener.incoming(session, callId)
    else expected?.(session, callId)
  })
  ua.start()
  return {
    call: (target, { stream, onSession }) => {
      expected = onSession
      try {
        ua.call(target, { mediaStream: stream, pcConfig: PEER_CONNECTION })
      } finally {
        expected = undefined // JsSIP tells of the new session before `call` returns.
      }
    },
    close: () => {
      ua.stop()
      ua.removeAllListeners()
    },
  }
}

function followLine(ua: UA, listener: LineListener): void {
  ua.on('connecting', ({ attempts }) => listener.connection({ kind: 'connecting', attempt: attempts }))
  ua.on('connected', () => {
    listener.connection({ kind: 'open' })
    listener.registration({ kind: 'asking' })
  })
  ua.on('disconnected', ({ code, reason }) => {
    const words = disconnectWords({
      ...(code === undefined ? {} : { code }),
      ...(reason === undefined ? {} : { reason }),
    })
    listener.connection({ kind: 'lost', words })
    listener.registration({ kind: 'none' })
  })
  ua.on('registered', () => listener.registration({ kind: 'registered' }))
  ua.on('unregistered', () => listener.registration({ kind: 'none' }))
  ua.on('registrationFailed', ({ response, cause }) => {
    // The type says that there always is a response; on a timeout there is none.
    const status = (response as { readonly status_code: number } | null)?.status_code
    const facts = { cause: String(cause), ...(status === undefined ? {} : { status }) }
    listener.registration({ kind: 'failed', words: registrationFailureWords(facts) })
  })
}
