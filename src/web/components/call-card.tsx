import { useEffect, useRef, useState } from 'preact/hooks'
import type { PhoneCall, Quality } from '../phone/model.ts'
import { Clock } from './clock.tsx'
import { useFocusWhenLost } from './focus.ts'
import { HangUpIcon, KeypadIcon, MicrophoneIcon, MicrophoneOffIcon, PauseIcon, ResumeIcon } from './icons.tsx'
import { Keypad } from './keypad.tsx'
import { Meter } from './meter.tsx'

export interface CallActions {
  readonly hangUp: () => void
  readonly hold: () => void
  readonly resume: () => void
  readonly mute: () => void
  readonly unmute: () => void
  readonly digit: (digit: string) => void
}

/** The call that is being made or talked in. */
export function CallCard(props: {
  readonly call: PhoneCall
  readonly streams: { readonly near?: MediaStream; readonly far?: MediaStream }
  readonly actions: CallActions
}) {
  const { call, actions } = props
  const [keypad, setKeypad] = useState(false)
  const [sent, setSent] = useState('')
  const talking = call.phase === 'talking'
  const send = (digit: string): void => {
    actions.digit(digit)
    setSent((before) => `${before}${digit}`.slice(-24))
  }
  useDigitKeys(talking, send)
  const end = useRef<HTMLButtonElement>(null)
  useFocusWhenLost(end, 'button')
  return (
    <section class="card call" data-testid="call-card" data-phase={call.phase} aria-labelledby="call-peer">
      <p class="peer" id="call-peer">
        {call.peer}
      </p>
      <p id="call-state" class="call-state" role="status">
        {phaseWords(call)}
        {call.answeredAt !== undefined && (
          <span class="duration" aria-hidden="true">
            {' · '}
            <Clock since={call.answeredAt} />
          </span>
        )}
      </p>
      <Meter id="meter-near" label={call.muted ? 'You (muted)' : 'You'} stream={props.streams.near} />
      <Meter id="meter-far" label="Far end" stream={props.streams.far} />
      <p class="hint quality" id="quality">
        {call.quality === undefined ? ' ' : qualityWords(call.quality)}
      </p>
      <div class="actions">
        <Toggle id="mute" on={call.muted} disabled={!talking} onClick={call.muted ? actions.unmute : actions.mute}>
          {call.muted ? <MicrophoneOffIcon /> : <MicrophoneIcon />}
          {call.muted ? 'Unmute' : 'Mute'}
        </Toggle>
        <Toggle
          id="hold"
          on={call.heldByUs}
          disabled={!talking}
          onClick={call.heldByUs ? actions.resume : actions.hold}
        >
          {call.heldByUs ? <ResumeIcon /> : <PauseIcon />}
          {call.heldByUs ? 'Resume' : 'Hold'}
        </Toggle>
        <Toggle id="keypad" on={keypad} disabled={!talking} onClick={() => setKeypad(!keypad)}>
          <KeypadIcon />
          Keypad
        </Toggle>
      </div>
      {keypad && talking && (
        <div class="dtmf">
          <output class="sent" aria-label="Digits sent">
            {sent}
          </output>
          <Keypad prefix="dtmf" onDigit={send} />
        </div>
      )}
      <button type="button" id="hangup" ref={end} class="danger go" onClick={actions.hangUp}>
        <HangUpIcon /> {talking || call.phase === 'answering' ? 'Hang up' : 'Cancel'}
      </button>
    </section>
  )
}

/** A call that is not the one in front: held, or waiting for its turn. */
export function OtherCall(props: {
  readonly call: PhoneCall
  readonly onResume: () => void
  readonly onHangUp: () => void
}) {
  return (
    <section class="card other" aria-label={`Call with ${props.call.peer}`}>
      <p>
        <strong>{props.call.peer}</strong> <span class="hint">{phaseWords(props.call)}</span>
      </p>
      <div class="actions two">
        <button type="button" disabled={props.call.phase !== 'talking'} onClick={props.onResume}>
          <ResumeIcon /> Switch to
        </button>
        <button type="button" class="danger" onClick={props.onHangUp}>
          <HangUpIcon /> Hang up
        </button>
      </div>
    </section>
  )
}

function Toggle(props: {
  readonly id: string
  readonly on: boolean
  readonly disabled: boolean
  readonly onClick: () => void
  readonly children: preact.ComponentChildren
}) {
  return (
    <button
      type="button"
      id={props.id}
      class="tool"
      aria-pressed={props.on}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  )
}

/** Digits of the keyboard go into the call, unless they are typed into a field. */
function useDigitKeys(active: boolean, onDigit: (digit: string) => void): void {
  useEffect(() => {
    if (!active) return undefined
    const onKey = (event: KeyboardEvent): void => {
      const typing = event.target instanceof Element && event.target.closest('input, select, textarea') !== null
      if (typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return
      if (/^[0-9*#]$/.test(event.key)) onDigit(event.key)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}

/** Where a call is, in words. */
export function phaseWords(call: PhoneCall): string {
  if (call.phase === 'talking') {
    if (call.heldByUs) return call.heldByPeer ? 'On hold on both sides' : 'On hold'
    return call.heldByPeer ? 'Held by the other side' : 'In a call'
  }
  return PHASES[call.phase]
}

const PHASES = {
  preparing: 'Waiting for the microphone…',
  dialling: 'Calling…',
  ringing: 'Ringing…',
  incoming: 'Incoming call',
  answering: 'Connecting…',
} as const

/** What the browser measured, in one line. */
export function qualityWords(quality: Quality): string {
  const loss = quality.lossFraction * 100
  const grade = loss > 5 || quality.jitterMs > 60 ? 'Bad' : loss > 1 || quality.jitterMs > 25 ? 'Fair' : 'Good'
  const parts = [grade]
  if (quality.codec !== '') parts.unshift(quality.codec)
  parts.push(`loss ${loss.toFixed(1)} %`, `jitter ${quality.jitterMs.toFixed(1)} ms`)
  if (quality.roundTripMs !== undefined) parts.push(`round trip ${quality.roundTripMs.toFixed(0)} ms`)
  return parts.join(' · ')
}
