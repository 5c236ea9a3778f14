import { seededIds } from '../../src/base/index.ts'
import { createPortableEngine, type PortableConfig } from '../../src/media/engines/portable/index.ts'
import { freePairs } from '../support/port-range.ts'
import { benchOf } from './browser-bench.ts'
import { browserCallContract } from './browser-call.ts'
import { browserMediaContract } from './browser-media.ts'
import { type EngineBench, mediaEngineContract } from './media-engine.ts'

/** An engine on loopback whose clock is moved by hand, beside the real one. */
async function open(config: Pick<PortableConfig, 'rtpPorts' | 'quarantineMs' | 'qualityMs'>): Promise<EngineBench> {
  let skippedMs = 0
  const engine = await createPortableEngine({
    ...config,
    advertise: ['127.0.0.1'],
    webrtcPorts: { from: 0, to: 0 },
    ids: seededIds(config.rtpPorts.from),
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
}

mediaEngineContract('portable', async ({ rtpPairs, quarantineMs }) => {
  return open({ rtpPorts: await freePairs(rtpPairs), quarantineMs })
})
browserCallContract('portable', benchOf(open))
browserMediaContract('portable', benchOf(open))
