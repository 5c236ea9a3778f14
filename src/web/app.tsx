import { useEffect, useState } from 'preact/hooks'
import type { PageInfo } from '../api/model.ts'
import { CallCard, OtherCall } from './components/call-card.tsx'
import { DialCard } from './components/dial-card.tsx'
import { IncomingCard } from './components/incoming-card.tsx'
import { Notice } from './components/notice.tsx'
import { RecentCalls } from './components/recent-calls.tsx'
import { SignIn } from './components/sign-in.tsx'
import { SoundCard } from './components/sound-card.tsx'
import { StatusBar } from './components/status-bar.tsx'
import { TimelineCard } from './components/timeline-card.tsx'
import type { Account, PhoneCall, PhoneState } from './phone/model.ts'
import type { Phone } from './phone/phone.ts'
import type { Settings } from './phone/settings.ts'
import { type Store, useStore } from './store.ts'
import { callBySip } from './timeline/calls.ts'
import type { Watch } from './timeline/watch.ts'

export interface AppProps {
  readonly page: PageInfo
  readonly phone: Phone
  readonly watch: Watch
  readonly settings: Store<Settings>
  readonly onSignIn: (account: Account) => void
  readonly onSignOut: () => void
}

export function App(props: AppProps) {
  const state = useStore(props.phone.state)
  const watch = useStore(props.watch.state)
  const [chosen, setChosen] = useState<string>()
  const current = frontCall(state.calls)
  const newest = state.calls.at(-1)?.id
  // A new call takes the timeline over.
  useEffect(() => setChosen(undefined), [newest])
  useEscape(props.phone, state.calls)
  // Between calls the last one stays to be read.
  const sipCallId = chosen ?? (current ?? state.calls.at(-1) ?? state.recent[0])?.sipCallId
  const show = (callId: string | undefined): void => {
    setChosen(callId)
    const call = callBySip(watch.calls, callId)
    if (call !== undefined && !call.complete) props.watch.load(call.view.id).catch(() => undefined) // `load` reports nothing.
  }
  return (
    <>
      <StatusBar state={state} onSignOut={props.onSignOut} />
      <main class={state.account === undefined ? 'signed-out' : ''}>
        <div class="column">
          <Notice notice={state.notice} onDismiss={() => props.phone.dismissNotice()} />
          {state.account === undefined ? (
            <SignIn page={props.page} onSignIn={props.onSignIn} />
          ) : (
            <>
              <Calls phone={props.phone} calls={state.calls} current={current} />
              <DialPlace {...props} state={state} account={state.account} current={current} />
              <RecentCalls
                calls={state.recent}
                ready={canDial(state)}
                hasTimeline={(call) => callBySip(watch.calls, call.sipCallId) !== undefined}
                onDial={(target) => props.phone.dial(target)}
                onShow={(call) => show(call.sipCallId)}
              />
              <SoundCard settings={props.settings} calls={state.calls.length} />
            </>
          )}
        </div>
        {state.account !== undefined && (
          <TimelineCard watch={watch} call={callBySip(watch.calls, sipCallId)} sipCallId={sipCallId} />
        )}
      </main>
      <footer class="hint">
        Trunkline {props.page.version} · {props.page.engine} media engine
      </footer>
    </>
  )
}

function Calls(props: {
  readonly phone: Phone
  readonly calls: readonly PhoneCall[]
  readonly current: PhoneCall | undefined
}) {
  const { phone, calls, current } = props
  const ringing = calls.filter(rings)
  const others = calls.filter((call) => call !== current && !rings(call))
  return (
    <>
      {ringing.map((call, index) => (
        <IncomingCard
          key={call.id}
          call={call}
          first={index === 0}
          waiting={current !== undefined}
          onAnswer={() => phone.answer(call.id)}
          onDecline={() => phone.hangUp(call.id)}
        />
      ))}
      {current !== undefined && (
        <CallCard
          key={current.id}
          call={current}
          streams={phone.streams(current.id)}
          actions={{
            hangUp: () => phone.hangUp(current.id),
            hold: () => phone.hold(current.id),
            resume: () => phone.resume(current.id),
            mute: () => phone.mute(current.id),
            unmute: () => phone.unmute(current.id),
            digit: (digit) => phone.sendDigit(current.id, digit),
          }}
        />
      )}
      {others.map((call) => (
        <OtherCall
          key={call.id}
          call={call}
          onResume={() => phone.resume(call.id)}
          onHangUp={() => phone.hangUp(call.id)}
        />
      ))}
    </>
  )
}

/** A further call can be made while the one in front is held. */
function DialPlace(
  props: AppProps & { readonly state: PhoneState; readonly account: Account; readonly current: PhoneCall | undefined },
) {
  if (props.current !== undefined && !props.current.heldByUs) return null
  return (
    <DialCard
      page={props.page}
      account={props.account}
      ready={canDial(props.state)}
      onDial={(typed) => props.phone.dial(typed)}
    />
  )
}

const rings = (call: PhoneCall): boolean =>
  call.phase === 'incoming' ||
  (call.phase === 'answering' && call.direction === 'incoming' && call.answeredAt === undefined)

/** The call people think of as theirs: the one that is not held, or else the newest. */
function frontCall(calls: readonly PhoneCall[]): PhoneCall | undefined {
  const made = calls.filter((call) => !rings(call))
  return made.findLast((call) => !call.heldByUs) ?? made.at(-1)
}

const canDial = (state: PhoneState): boolean =>
  state.connection.kind === 'open' && state.registration.kind === 'registered'

/** Escape gives up what is not answered yet: it declines a call that comes in, or cancels one that goes out. */
function useEscape(phone: Phone, calls: readonly PhoneCall[]): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return
      const call =
        calls.find((candidate) => candidate.phase === 'incoming') ?? calls.find(({ phase }) => WAITING.has(phase))
      if (call !== undefined) phone.hangUp(call.id)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [phone, calls])
}

const WAITING: ReadonlySet<string> = new Set(['preparing', 'dialling', 'ringing'])
