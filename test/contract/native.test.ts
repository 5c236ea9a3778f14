import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { createNativeEngine, findMediaProgram, type NativeConfig } from '../../src/media/engines/native/index.ts'
import { freePairs } from '../support/port-range.ts'
import { benchOf } from './browser-bench.ts'
import { browserCallContract } from './browser-call.ts'
import { browserMediaContract } from './browser-media.ts'
import { type EngineBench, mediaEngineContract } from './media-engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'tl-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let opened = 0

/** Processes of its own for each test, on loopback, with a clock that is moved by hand. */
async function open(config: Pick<NativeConfig, 'rtpPorts' | 'quarantineMs' | 'qualityMs'>): Promise<EngineBench> {
  opened++
  const engine = await createNativeEngine({
    ...config,
    control: join(folder, `${opened}.sock`),
    advertise: ['127.0.0.1'],
    webrtcPorts: { from: 0, to: 0 },
    threads: 1,
    testClock: true,
  })
  // What is asked next goes the same way behind it: nobody has to wait for the answer.
  const advance = (ms: number): void => void engine.advance(ms).catch(() => {})
  return { engine, advance }
}

const skip = findMediaProgram() === undefined ? 'there is no native engine here: npm run build' : false

describe('with the program of the native engine', { skip }, () => {
  mediaEngineContract('native', async ({ rtpPairs, quarantineMs }) => {
    return open({ rtpPorts: await freePairs(rtpPairs), quarantineMs })
  })
  browserCallContract('native', benchOf(open))
  browserMediaContract('native', benchOf(open))
})
