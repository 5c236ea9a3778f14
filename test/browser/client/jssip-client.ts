import { C, UA, WebSocketInterface } from 'jssip'
import type { IncomingDTMFEvent, OutgoingDTMFEvent, RTCSession } from 'jssip/lib/RTCSession'
import type { RTCSessionEvent } from 'jssip/lib/UA'
import type { CallPart } from './call-part.ts'
import type { Happenings } from './happenings.ts'
import type { Registration } from './model.ts'
import type { Sound } from './sound.ts'

const PC_CONFIG: RTCConfiguration = { iceServers: [] }

/** Stock JsSIP behind the common methods. */
export function createJsSipClient(
  { webSocket, user, domain, password }: Registration,
  sound: Sound,
  { tell }: Happenings,
): CallPart {
  const ua = new UA({ sockets: [new WebSocketInterface(webSocket)], uri: `sip:${user}@${domain}`, password })
  let session: RTCSession | undefined

  ua.on('registered', () => tell({ what: 'registered' }))
  ua.on('registrationFailed', ({ response, cause }) => {
    tell({ what: 'registration-failed', ...statusOf(response), detail: String(cause) })
  })
  ua.on('newRTCSession', ({ session: fresh, originator }: RTCSessionEvent) => {
    session = fresh
    follow(fresh, sound, tell)
    if (String(originator) === 'remote') tell({ what: 'incoming', detail: fresh.remote_identity.uri.user })
  })

  const current = (): RTCSession => {
    if (session === undefined) throw new Error('there is no call')
    return session
  }
  return {
    register: () => Promise.resolve(ua.start()),
    call: (target) => {
      ua.call(target, { mediaStream: sound.stream(), pcConfig: PC_CONFIG })
    },
    answer: () => current().answer({ mediaStream: sound.stream(), pcConfig: PC_CONFIG }),
    reject: (status) => current().terminate({ status_code: status }),
    cancel: () => current().terminate(),
    hangUp: () => current().terminate(),
    hold: () => {
      if (!current().hold()) throw new Error('JsSIP refused to hold')
    },
    resume: () => {
      if (!current().unhold()) throw new Error('JsSIP refused to resume')
    },
    digit: (digit, by) => {
      const transportType = by === 'rtp' ? C.DTMF_TRANSPORT.RFC2833 : C.DTMF_TRANSPORT.INFO
      current().sendDTMF(digit, { transportType, duration: 120 })
    },
    drop: () => ua.terminateSessions(),
    connection: () => session?.connection ?? undefined,
    close: () => Promise.resolve(ua.stop()),
  }
}

function follow(session: RTCSession, sound: Sound, tell: Happenings['tell']): void {
  if (session.connection) sound.listen(session.connection)
  session.on('peerconnection', ({ peerconnection }) => sound.listen(peerconnection))
  session.on('progress', () => {
    if (String(session.direction) === 'outgoing') tell({ what: 'ringing' })
  })
  session.on('confirmed', () => tell({ what: 'talking' }))
  session.on('hold', ({ originator }) => tell({ what: String(originator) === 'local' ? 'held' : 'held-by-peer' }))
  session.on('unhold', ({ originator }) =>
    tell({ what: String(originator) === 'local' ? 'resumed' : 'resumed-by-peer' }),
  )
  session.on('newDTMF', ({ originator, dtmf }: IncomingDTMFEvent | OutgoingDTMFEvent) => {
    if (String(originator) === 'remote') tell({ what: 'info', detail: dtmf.tone })
  })
  session.on('failed', ({ message, cause }) => tell({ what: 'failed', ...statusOf(message), detail: cause }))
  session.on('ended', ({ cause }) => tell({ what: 'ended', detail: cause }))
}

/** JsSIP's types promise a response where there may be none. */
function statusOf(message: unknown): { readonly status?: number } {
  const status = (message as { readonly status_code?: number } | null | undefined)?.status_code
  return status === undefined ? {} : { status }
}
