import { seededIds } from '../../src/base/index.ts'
import { createPortableEngine } from '../../src/media/engines/portable/index.ts'
import { mediaEngineContract } from './media-engine.ts'

/** Each engine has its own ports: a test's late packets must not reach the next one. */
let nextPort = 33_000

mediaEngineContract('portable', async ({ rtpPairs, quarantineMs }) => {
  let skippedMs = 0
  const from = nextPort
  nextPort += 2 * rtpPairs
  const engine = await createPortableEngine({
    advertise: ['127.0.0.1'],
    webrtcPorts: { from: 0, to: 0 },
    rtpPorts: { from, to: from + 2 * rtpPairs - 1 },
    quarantineMs,
    ids: seededIds(from),
    clock: {
      now: () => performance.now() + skippedMs,
      // Often enough that a test which moved the clock need not wait.
      every(_intervalMs, tick) {
        const timer = setInterval(tick, 5)
        return () => clearInterval(timer)
      },
    },
  })
  const advance = (ms: number): void => {
    skippedMs += ms
  }
  return { engine, advance }
})
