import { useEffect, useRef } from 'preact/hooks'
import { createLevelMeter } from '../media/level.ts'

/** How loud a stream is, as a bar. The number stands in `data-level` (0 to 100) for tests and for the curious. */
export function Meter(props: {
  readonly id: string
  readonly label: string
  readonly stream: MediaStream | undefined
}) {
  const bar = useRef<HTMLSpanElement>(null)
  const { stream } = props
  useEffect(() => {
    if (stream === undefined || stream.getAudioTracks().length === 0) return undefined
    const meter = createLevelMeter(stream)
    let frame = 0
    let shown = 0
    const draw = (): void => {
      const level = meter.read()
      shown = Math.max(level, shown * 0.9) // Falls slowly, as a needle would.
      const percent = Math.round(shown * 100)
      bar.current?.style.setProperty('--level', `${percent}%`)
      bar.current?.setAttribute('data-level', String(percent))
      frame = requestAnimationFrame(draw)
    }
    draw()
    return () => {
      cancelAnimationFrame(frame)
      meter.close()
    }
  }, [stream])
  return (
    <div class="meter">
      <span class="meter-label">{props.label}</span>
      <span class="meter-bar" id={props.id} ref={bar} aria-hidden="true" />
    </div>
  )
}
