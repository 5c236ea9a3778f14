import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ToneMeter, toneFrames } from './tone.ts'

/** What a meter for `hz` says of `frames` packets. */
function judged(hz: number, frames: readonly Buffer[], payloadType = 0) {
  const meter = new ToneMeter(hz)
  for (const payload of frames) meter.onPacket({ payloadType, payload })
  return meter.report()
}

function second(hz: number): Buffer[] {
  const next = toneFrames(hz)
  return Array.from({ length: 50 }, next)
}

describe('tone meter', () => {
  for (const hz of [100, 620, 1_004, 3_400]) {
    test(`${hz} Hz is heard in every window of 100 ms`, () => {
      assert.deepEqual(judged(hz, second(hz)), { windows: 10, heard: 10 })
    })
  }

  test('another tone is audio, but not ours', () => {
    assert.deepEqual(judged(620, second(1_004)), { windows: 10, heard: 0 })
  })

  test('a lost packet now and then does not hide the tone', () => {
    const frames = second(620).filter((_, n) => n % 10 !== 3)
    const { windows, heard } = judged(620, frames)
    assert.ok(heard * 2 > windows, `${heard} of ${windows}`)
  })

  test('noise is judged and is not the tone', () => {
    let state = 1
    const noise = Array.from({ length: 50 }, () =>
      Buffer.from(
        Array.from({ length: 160 }, () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          return state >>> 24
        }),
      ),
    )
    assert.deepEqual(judged(620, noise), { windows: 10, heard: 0 })
  })

  test('silence, other payload types and other lengths are not judged', () => {
    assert.equal(judged(620, new Array(50).fill(Buffer.alloc(160, 0xff))).windows, 0)
    assert.equal(judged(620, second(620), 101).windows, 0)
    assert.equal(
      judged(
        620,
        second(620).map((frame) => frame.subarray(1)),
      ).windows,
      0,
    )
  })
})
