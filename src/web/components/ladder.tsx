import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { formatOffset, type Ladder as LadderModel, type Lane, type Row } from '../timeline/ladder.ts'

/**
 * The ladder diagram. Text of SIP messages comes from strangers: it is only ever put into text nodes.
 */
export function Ladder({ lanes, rows }: LadderModel) {
  const [open, setOpen] = useState<number>()
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  // A new row is the reason to scroll.
  useLayoutEffect(() => {
    if (atEnd.current && list.current !== null) list.current.scrollTop = list.current.scrollHeight
  }, [rows.length])
  const onScroll = (): void => {
    const element = list.current
    if (element !== null) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40
  }
  return (
    <div class="ladder" ref={list} onScroll={onScroll} style={{ '--lanes': String(lanes.length) }}>
      <div class="lanes">
        {lanes.map((lane, index) => (
          <div key={lane.id} class="lane" style={{ '--at': position(index, lanes) }}>
            <strong>{lane.label}</strong>
            <small>{lane.detail}</small>
          </div>
        ))}
      </div>
      <ol aria-label="Messages and events, oldest first">
        {rows.map((row) => (
          <LadderRow
            key={row.seq}
            row={row}
            lanes={lanes}
            open={open === row.seq}
            onToggle={() => setOpen(open === row.seq ? undefined : row.seq)}
          />
        ))}
      </ol>
    </div>
  )
}

function LadderRow(props: {
  readonly row: Row
  readonly lanes: readonly Lane[]
  readonly open: boolean
  readonly onToggle: () => void
}) {
  const { row, lanes, open } = props
  return (
    <li class={`row ${row.tone}`} data-testid="ladder-row" data-kind={row.kind}>
      <button
        type="button"
        class="row-line"
        aria-expanded={open}
        aria-label={spoken(row, lanes)}
        onClick={props.onToggle}
      >
        <span class="offset">{formatOffset(row.offsetMs)}</span>
        <span class="track">
          {lanes.map((lane, index) => (
            <span key={lane.id} class="life" style={{ '--at': position(index, lanes) }} />
          ))}
          {row.kind === 'arrow' ? <Arrow row={row} lanes={lanes} /> : <Mark row={row} lanes={lanes} />}
        </span>
      </button>
      {open && <Details row={row} />}
    </li>
  )
}

function Arrow({ row, lanes }: { readonly row: Row & { readonly kind: 'arrow' }; readonly lanes: readonly Lane[] }) {
  const [left, right] = [Math.min(row.from, row.to), Math.max(row.from, row.to)]
  const classes = ['arrow', row.to > row.from ? 'rightwards' : 'leftwards', row.repeated ? 'repeated' : '']
  return (
    <span class={classes.join(' ')} style={{ '--from': position(left, lanes), '--to': position(right, lanes) }}>
      <span class="arrow-label">{row.repeated ? `${row.label} (again)` : row.label}</span>
    </span>
  )
}

function Mark({ row, lanes }: { readonly row: Row & { readonly kind: 'mark' }; readonly lanes: readonly Lane[] }) {
  // A mark stands on its line, but never sticks out of the diagram: the first and last hang inwards.
  const edge = row.lane === 0 ? 'start' : row.lane === lanes.length - 1 ? 'end' : 'middle'
  return (
    <span class={`mark ${edge}`} style={{ '--at': position(row.lane, lanes) }}>
      {row.label}
    </span>
  )
}

function Details({ row }: { readonly row: Row }) {
  if (row.kind === 'arrow') {
    return (
      <div class="details">
        <p class="hint">{row.remote}</p>
        <pre data-testid="message-text">{row.text}</pre>
      </div>
    )
  }
  return (
    <div class="details">
      <p>{row.label}</p>
      {row.facts.length > 0 && (
        <dl>
          {row.facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}

/** For those who hear the diagram. */
function spoken(row: Row, lanes: readonly Lane[]): string {
  const after = formatOffset(row.offsetMs)
  if (row.kind === 'mark') return `${row.label}, ${lanes[row.lane]?.label ?? 'gateway'}, ${after}`
  const again = row.repeated ? ', sent again' : ''
  return `${row.label}, from ${lanes[row.from]?.label ?? '?'} to ${lanes[row.to]?.label ?? '?'}, ${after}${again}`
}

/** Where a lane stands, in percent of the width. The outer ones leave room for their names. */
function position(index: number, lanes: readonly Lane[]): string {
  const margin = lanes.length <= 3 ? 9 : 6
  const share = lanes.length < 2 ? 0.5 : index / (lanes.length - 1)
  return `${margin + share * (100 - 2 * margin)}%`
}
