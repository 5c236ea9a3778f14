import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventParser, type ServerSentEvent } from './server-sent-events.ts'

const STREAM =
  ': hello\r\n\r\nevent: call\ndata: {"a":1}\n\nretry: 2000\n\ndata: one\ndata:two\r\n\r\nevent: quality\r\ndata: 3\r\n\r\n'
const EVENTS: readonly ServerSentEvent[] = [
  { event: 'call', data: '{"a":1}' },
  { event: 'message', data: 'one\ntwo' },
  { event: 'quality', data: '3' },
]

test('events come out whole, comments and hints do not', () => {
  assert.deepEqual(createEventParser()(STREAM), EVENTS)
})

for (const size of [1, 2, 3, 7]) {
  test(`the same events come out of pieces of ${size} characters`, () => {
    const parse = createEventParser()
    const pieces = Array.from({ length: Math.ceil(STREAM.length / size) }, (_, n) =>
      STREAM.slice(n * size, (n + 1) * size),
    )
    assert.deepEqual(
      pieces.flatMap((piece) => parse(piece)),
      EVENTS,
    )
  })
}

test('an event that is not finished is not given out', () => {
  assert.deepEqual(createEventParser()('event: call\ndata: x\n'), [])
})
