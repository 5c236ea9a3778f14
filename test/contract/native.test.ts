import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createNativeEngine, findMediaProgram } from '../../src/media/engines/native/index.ts'
import { mediaEngineContract } from './media-engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'tl-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Each engine has its own ports: a test's late packets must not reach the next one. */
let nextPort = 34_000

mediaEngineContract(
  'native',
  async ({ rtpPairs, quarantineMs }) => {
    const from = nextPort
    nextPort += 2 * rtpPairs
    const engine = await createNativeEngine({
      control: join(folder, `${from}.sock`),
      advertise: ['127.0.0.1'],
      webrtcPorts: { from: 0, to: 0 },
      rtpPorts: { from, to: from + 2 * rtpPairs - 1 },
      threads: 1,
      quarantineMs,
      testClock: true,
    })
    // What is asked next goes the same way behind it: nobody has to wait for the answer.
    const advance = (ms: number): void => void engine.advance(ms).catch(() => {})
    return { engine, advance }
  },
  findMediaProgram() === undefined ? { all: 'there is no native engine here: npm run build' } : {},
)
