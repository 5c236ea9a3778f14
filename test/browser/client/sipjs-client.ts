import { Invitation, Inviter, Registerer, RegistererState, type Session, SessionState, UserAgent, Web } from 'sip.js'
import type { CallPart } from './call-part.ts'
import type { Happenings } from './happenings.ts'
import type { Registration } from './model.ts'
import type { Sound } from './sound.ts'

/** Stock SIP.js behind the common methods. */
export function createSipJsClient(registration: Registration, sound: Sound, { tell }: Happenings): CallPart {
  let session: Session | undefined
  const onInvite = (invitation: Invitation): void => {
    session = invitation
    follow(invitation, sound, tell)
    tell({ what: 'incoming', detail: invitation.remoteIdentity.uri.user ?? '' })
  }
  const agent = createAgent(registration, sound, onInvite)
  const registerer = new Registerer(agent)
  registerer.stateChange.addListener((state) => {
    if (state === RegistererState.Registered) tell({ what: 'registered' })
  })
  const current = (): Session => {
    if (session === undefined) throw new Error('there is no call')
    return session
  }
  const fail = (error: unknown): void => tell({ what: 'failed', detail: String(error) })
  return {
    register: async () => {
      await agent.start()
      const onReject = (response: Parameters<typeof statusOf>[0]): void =>
        tell({ what: 'registration-failed', ...statusOf(response) })
      await registerer.register({ requestDelegate: { onReject } })
    },
    call: (target) => {
      const uri = UserAgent.makeURI(target.includes(':') ? target : `sip:${target}@${registration.domain}`)
      if (uri === undefined) throw new Error(`SIP.js cannot call ${target}`)
      const inviter = new Inviter(agent, uri)
      session = inviter
      follow(inviter, sound, tell)
      inviter
        .invite({
          requestDelegate: {
            onProgress: ({ message }) => {
              if ((message.statusCode ?? 0) > 100) tell({ what: 'ringing' })
            },
            onReject: (response) => tell({ what: 'failed', ...statusOf(response) }),
          },
        })
        .catch(fail)
    },
    answer: () => void (current() as Invitation).accept().catch(fail),
    reject: (status) => void (current() as Invitation).reject({ statusCode: status }).catch(fail),
    cancel: () => void (current() as Inviter).cancel().catch(fail),
    hangUp: () => void current().bye().catch(fail),
    hold: () => reinvite(current(), true, tell),
    resume: () => reinvite(current(), false, tell),
    digit: (digit, by) => sendDigit(current(), digit, by),
    drop: () => drop(session),
    connection: () => handlerOf(session)?.peerConnection,
    close: () => agent.stop(),
  }
}

function createAgent(
  { webSocket, user, domain, password }: Registration,
  sound: Sound,
  onInvite: (invitation: Invitation) => void,
): UserAgent {
  const uri = UserAgent.makeURI(`sip:${user}@${domain}`)
  if (uri === undefined) throw new Error('not a user of SIP')
  return new UserAgent({
    uri,
    authorizationUsername: user,
    authorizationPassword: password,
    transportOptions: { server: webSocket },
    logLevel: 'error',
    sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(() =>
      Promise.resolve(sound.stream()),
    ),
    sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
    delegate: { onInvite },
  })
}

function follow(session: Session, sound: Sound, tell: Happenings['tell']): void {
  session.delegate = {
    onSessionDescriptionHandler: (handler) => {
      const connection = (handler as Web.SessionDescriptionHandler).peerConnection
      if (connection !== undefined) sound.listen(connection)
    },
    onInfo: (info) => {
      const signal = /Signal\s*=\s*(\S)/i.exec(info.request.body)?.[1]
      tell({ what: 'info', detail: signal ?? info.request.body })
      info.accept().catch(() => undefined)
    },
    onInvite: (request) => {
      const held = /a=(sendonly|inactive)/.test(request.body)
      tell({ what: held ? 'held-by-peer' : 'resumed-by-peer' })
    },
  }
  let talked = false
  session.stateChange.addListener((state) => {
    if (state === SessionState.Established) {
      talked = true
      tell({ what: 'talking' })
    }
    if (state !== SessionState.Terminated) return
    if (talked) tell({ what: 'ended' })
    // The end of our own call is told with the status of its response.
    else if (session instanceof Invitation) tell({ what: 'failed', detail: 'not answered' })
  })
}

function drop(session: Session | undefined): void {
  if (session === undefined || session.state === SessionState.Terminated) return
  const ended =
    session.state === SessionState.Established
      ? session.bye()
      : session instanceof Invitation
        ? session.reject()
        : (session as Inviter).cancel()
  Promise.resolve(ended).catch(() => undefined) // It may end by itself in this instant.
}

function reinvite(session: Session, hold: boolean, tell: Happenings['tell']): void {
  const options: Web.SessionDescriptionHandlerOptions = { hold }
  session.sessionDescriptionHandlerOptionsReInvite = options
  session
    .invite({
      requestDelegate: {
        onAccept: () => {
          // Holding is `sendonly`: what is sent then is up to the application. SIP.js's own SimpleUser mutes.
          for (const { track } of handlerOf(session)?.peerConnection?.getSenders() ?? [])
            if (track) track.enabled = !hold
          tell({ what: hold ? 'held' : 'resumed' })
        },
        onReject: (response) => tell({ what: 'failed', ...statusOf(response), detail: 're-INVITE' }),
      },
    })
    .catch((error: unknown) => tell({ what: 'failed', detail: String(error) }))
}

function sendDigit(session: Session, digit: string, by: 'rtp' | 'info'): void {
  if (by === 'rtp') {
    if (handlerOf(session)?.sendDtmf(digit) !== true) throw new Error('SIP.js cannot send telephone-events')
    return
  }
  const content = `Signal=${digit}\r\nDuration=120`
  const body = { contentDisposition: 'render', contentType: 'application/dtmf-relay', content }
  session.info({ requestOptions: { body } }).catch(() => undefined)
}

const handlerOf = (session: Session | undefined): Web.SessionDescriptionHandler | undefined =>
  session?.sessionDescriptionHandler as Web.SessionDescriptionHandler | undefined

function statusOf({ message }: { readonly message: { readonly statusCode?: number | undefined } }): {
  readonly status?: number
} {
  return message.statusCode === undefined ? {} : { status: message.statusCode }
}
