import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { untilStopped } from './signals.ts'

function stopping() {
  const process = new EventEmitter()
  let finish = (): void => {}
  let time = 0
  let stops = 0
  const result = untilStopped(
    process,
    () => {
      stops += 1
      return new Promise((done) => (finish = done))
    },
    () => time,
  )
  return { process, result, finish: () => finish(), at: (ms: number) => (time = ms), stops: () => stops }
}

test('the first signal stops politely', async () => {
  const { process, result, finish, stops } = stopping()
  process.emit('SIGTERM', 'SIGTERM')
  finish()
  assert.equal(await result, false)
  assert.equal(stops(), 1)
  assert.equal(process.listenerCount('SIGINT'), 0)
})

test('the copy of a Ctrl-C that npm passes on is not a second wish', async () => {
  const { process, result, finish, at } = stopping()
  process.emit('SIGINT', 'SIGINT')
  at(20)
  process.emit('SIGINT', 'SIGINT')
  finish()
  assert.equal(await result, false)
})

test('a second signal later does not wait for the stop', async () => {
  const { process, result, at, stops } = stopping()
  process.emit('SIGINT', 'SIGINT')
  at(600)
  process.emit('SIGINT', 'SIGINT')
  assert.equal(await result, true)
  assert.equal(stops(), 1)
})
