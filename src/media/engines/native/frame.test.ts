import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LIMITS } from '../../../base/index.ts'
import { encodeFrame, FrameReader } from './frame.ts'

function framed(value: unknown): Buffer {
  const frame = encodeFrame(value)
  assert.ok(frame)
  return frame
}

test('frames come out whole however they are cut', () => {
  const values = [{ id: 1, op: 'list' }, { id: 2, text: 'naïve ☎' }, []]
  const bytes = Buffer.concat(values.map(framed))
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new FrameReader()
    const seen = []
    for (let at = 0; at < bytes.length; at += size) seen.push(...reader.push(bytes.subarray(at, at + size)))
    assert.deepEqual(
      seen,
      values.map((value) => ({ kind: 'value', value })),
    )
  }
})

test('a frame that is no JSON is lost alone, and its text is not repeated', () => {
  const text = Buffer.from('{"key":"secret')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const [bad, good] = new FrameReader().push(Buffer.concat([length, text, framed('after')]))
  assert.ok(bad?.kind === 'unreadable' && !bad.problem.includes('secret'))
  assert.deepEqual(good, { kind: 'value', value: 'after' })
})

test('a frame that is too long ends the reading; one that we would send is refused', () => {
  const reader = new FrameReader()
  assert.deepEqual(
    reader.push(Buffer.concat([Buffer.from([0xff, 0, 0, 0]), framed(1)])).map(({ kind }) => kind),
    ['broken'],
  )
  assert.deepEqual(reader.push(framed(1)), [])
  assert.equal(encodeFrame('x'.repeat(LIMITS.mediaControlFrameBytes)), undefined)
})

test('law: any bytes are frames or problems, and what is written is read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.jsonValue(), (noise, value) => {
      new FrameReader().push(Buffer.from(noise))
      assert.deepEqual(new FrameReader().push(framed(value)), [
        { kind: 'value', value: JSON.parse(JSON.stringify(value)) },
      ])
    }),
    { seed: 11, numRuns: 500 },
  )
})
