import type { RecentCall } from '../phone/model.ts'
import { formatDuration } from './clock.tsx'
import { IncomingIcon, OutgoingIcon } from './icons.tsx'

/** Calls that are over: a click dials again, another shows the timeline while the gateway still remembers it. */
export function RecentCalls(props: {
  readonly calls: readonly RecentCall[]
  readonly ready: boolean
  readonly hasTimeline: (call: RecentCall) => boolean
  readonly onDial: (target: string) => void
  readonly onShow: (call: RecentCall) => void
}) {
  if (props.calls.length === 0) return null
  return (
    <section class="card recent-card" aria-labelledby="recent-title">
      <h2 id="recent-title">Recent calls</h2>
      <ul class="recent">
        {props.calls.map((call) => (
          <li key={call.id}>
            <button
              type="button"
              class="recent-dial"
              disabled={!props.ready}
              title={`Call ${call.redial}`}
              onClick={() => props.onDial(call.redial)}
            >
              <span class={call.outcome.problem ? 'way bad' : 'way'}>
                {call.direction === 'incoming' ? <IncomingIcon /> : <OutgoingIcon />}
                <span class="visually-hidden">{call.direction}</span>
              </span>
              <span class="recent-peer">{call.peer}</span>
              <small>
                {call.talkedMs > 0 ? `${formatDuration(call.talkedMs)} · ` : ''}
                {call.outcome.words}
              </small>
              <small class="when">{new Date(call.startedAt).toLocaleTimeString([], { timeStyle: 'short' })}</small>
            </button>
            {props.hasTimeline(call) && (
              <button type="button" class="quiet small" onClick={() => props.onShow(call)}>
                Timeline
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
