import type { PhoneCall } from '../phone/model.ts'
import { CallIcon, HangUpIcon } from './icons.tsx'

/** Somebody calls. `waiting`: we are in another call, which is put on hold by answering. */
export function IncomingCard(props: {
  readonly call: PhoneCall
  /** The one that ids and the Escape key mean. */
  readonly first: boolean
  readonly waiting: boolean
  readonly onAnswer: () => void
  readonly onDecline: () => void
}) {
  const id = (name: string): { id?: string } => (props.first ? { id: name } : {})
  return (
    <section
      class="card incoming"
      role="alert"
      data-testid="incoming"
      aria-label={`Incoming call from ${props.call.peer}`}
    >
      <p class="hint">{props.waiting ? 'Another call; answering it holds this one' : 'Incoming call'}</p>
      <p class="peer">{props.call.peer}</p>
      <div class="actions two">
        <button type="button" {...id('decline')} class="danger" onClick={props.onDecline}>
          <HangUpIcon /> Decline
        </button>
        <button
          type="button"
          {...id('answer')}
          class="primary"
          disabled={props.call.phase === 'answering'}
          onClick={props.onAnswer}
        >
          <CallIcon /> Answer
        </button>
      </div>
    </section>
  )
}
