import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MediaEvent } from '../../events.ts'
import { EventQueue } from './event-queue.ts'

const quality = (session: string, remote = ''): MediaEvent => ({
  kind: 'quality',
  session,
  sides: [{ side: 'a', media: [], remote }],
})
const ended = (session: string): MediaEvent => ({ kind: 'ended', session, side: 'a' })

async function drained(queue: EventQueue): Promise<MediaEvent[]> {
  queue.end()
  const out: MediaEvent[] = []
  for await (const event of queue) out.push(event)
  return out
}

test('events come in order; a newer quality takes the place of one that waits', async () => {
  const queue = new EventQueue(10)
  for (const event of [quality('1', 'old'), ended('1'), quality('2'), quality('1', 'new')]) queue.push(event)
  assert.deepEqual(await drained(queue), [quality('1', 'new'), ended('1'), quality('2')])
})

test('a full queue gives up quality first, then refuses and counts', async () => {
  const queue = new EventQueue(2)
  for (const event of [quality('1'), ended('1'), ended('2'), quality('3'), ended('4')]) queue.push(event)
  assert.equal(queue.dropped, 3)
  assert.deepEqual(await drained(queue), [ended('1'), ended('2')])
})

test('a reader that waits gets the next event, and the end', async () => {
  const queue = new EventQueue(2)
  const reader = queue[Symbol.asyncIterator]()
  const first = reader.next()
  queue.push(ended('1'))
  assert.deepEqual(await first, { value: ended('1'), done: false })
  const second = reader.next()
  queue.end()
  queue.push(ended('2'))
  assert.deepEqual(await second, { value: undefined, done: true })
})
