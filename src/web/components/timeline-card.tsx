import type { ObservedCall } from '../timeline/calls.ts'
import { legBySip } from '../timeline/calls.ts'
import { buildLadder } from '../timeline/ladder.ts'
import type { WatchState } from '../timeline/watch.ts'
import { Figures } from './figures.tsx'
import { Ladder } from './ladder.tsx'

/** What the gateway does with the call, while it does it. */
export function TimelineCard(props: {
  readonly watch: WatchState
  readonly call: ObservedCall | undefined
  readonly sipCallId: string | undefined
}) {
  const { watch, call } = props
  const ownLeg = call === undefined ? undefined : legBySip(call.view, props.sipCallId)
  return (
    <section class="card timeline" aria-labelledby="timeline-title" id="timeline">
      <div class="timeline-head">
        <h2 id="timeline-title">Timeline</h2>
        {call !== undefined && (
          <span class="pill small" id="gateway-state">
            {stateWords(call)}
          </span>
        )}
        {watch.link === 'live' && call?.view.endedAt === undefined && call !== undefined && (
          <span class="live">live</span>
        )}
        {watch.link === 'lost' && <span class="hint bad-text">{watch.words} Trying again.</span>}
      </div>
      {call === undefined ? (
        <p class="hint empty">
          Make or take a call: its SIP messages on both sides of the gateway, ICE, DTLS, the codecs and the figures of
          its media appear here as they happen.
        </p>
      ) : (
        <>
          <Figures legs={call.view.legs} ownLeg={ownLeg} />
          {call.dropped > 0 && <p class="hint">{call.dropped} later entries were not kept.</p>}
          <Ladder {...buildLadder(call, ownLeg)} />
        </>
      )}
    </section>
  )
}

function stateWords({ view }: ObservedCall): string {
  if (view.outcome === undefined) return view.state
  return `${view.outcome.status} ${view.outcome.reason}`.trim()
}
