import type { LegView } from '../../api/model.ts'
import { partyName } from '../timeline/ladder.ts'

type Figure = readonly [name: string, read: (leg: LegView) => string | undefined]

const count = (value: number | undefined): string | undefined => value?.toLocaleString('en')
const ms = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : `${value.toFixed(1)} ms`

const FIGURES: readonly Figure[] = [
  ['Codec', (leg) => leg.codec],
  ['ICE', (leg) => leg.media?.ice],
  ['DTLS', (leg) => leg.media?.dtls],
  ['SRTP', (leg) => leg.media?.srtpSuite?.replaceAll('_', ' ')],
  ['Media from', (leg) => leg.media?.remote],
  ['Packets in', (leg) => count(leg.media?.packetsReceived)],
  ['Packets out', (leg) => count(leg.media?.packetsSent)],
  ['Lost', (leg) => count(leg.media?.packetsLost)],
  ['Discarded', (leg) => count(leg.media?.packetsDiscarded)],
  ['Jitter', (leg) => ms(leg.media?.jitterMs)],
  ['Round trip', (leg) => ms(leg.media?.roundTripMs)],
]

/** What the gateway measures on each leg, side by side. Lines that no leg has anything for are left out. */
export function Figures(props: { readonly legs: readonly LegView[]; readonly ownLeg: string | undefined }) {
  const { legs, ownLeg } = props
  const rows = FIGURES.map(([name, read]) => ({ name, values: legs.map((leg) => read(leg)) }))
  const known = rows.filter(({ values }) => values.some((value) => value !== undefined && value !== ''))
  if (known.length === 0) return null
  return (
    <table class="figures" id="figures">
      <caption class="visually-hidden">Media of each leg, as the gateway sees it</caption>
      <thead>
        <tr>
          <td />
          {legs.map((leg) => (
            <th key={leg.id} scope="col">
              {partyName(leg.party)}
              {leg.id === ownLeg && ' (you)'}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {known.map(({ name, values }) => (
          <tr key={name} data-figure={name}>
            <th scope="row">{name}</th>
            {values.map((value, index) => (
              <td key={legs[index]?.id}>{value ?? '–'}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
