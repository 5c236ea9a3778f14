import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PacerClock, paceFrames } from './pacer.ts'

/** A clock whose timers are late by `lateness` ms. */
function clockOf(lateness: (n: number) => number) {
  let now = 1_000
  let timers = 0
  let due: { at: number; callback: () => void } | undefined
  const clock: PacerClock = {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms + lateness(timers++), callback }
      due = timer
      return () => {
        if (due === timer) due = undefined
      }
    },
  }
  return {
    clock,
    /** Lets timers fire until `ms` have passed. */
    run(ms: number) {
      const end = now + ms
      while (due && due.at <= end) {
        const { at, callback } = due
        due = undefined
        now = at
        callback()
      }
      now = end
    },
    get isIdle() {
      return due === undefined
    },
  }
}

test('a frame each 20 ms, the first one at once', () => {
  const { clock, run } = clockOf(() => 0)
  let frames = 0
  paceFrames(() => frames++, 0, clock)
  run(1_000)
  assert.equal(frames, 51)
})

test('late timers do not make it slower: no drift over a minute', () => {
  const { clock, run } = clockOf((n) => (n % 7) * 1.3)
  let frames = 0
  paceFrames(() => frames++, 0, clock)
  run(60_000)
  assert.ok(Math.abs(frames - 3_000) <= 1, `${frames} frames`)
})

test('after a long stall the overdue frames are let go', () => {
  const { clock, run } = clockOf((n) => (n === 5 ? 1_000 : 0))
  let frames = 0
  paceFrames(() => frames++, 0, clock)
  run(2_000)
  assert.ok(frames < 55, `${frames} frames of 100`)
})

test('nothing comes after it was stopped, even by the frame itself', () => {
  const watch = clockOf(() => 0)
  let frames = 0
  const stop = paceFrames(
    () => {
      frames++
      if (frames === 3) stop()
    },
    0,
    watch.clock,
  )
  watch.run(1_000)
  assert.equal(frames, 3)
  assert.ok(watch.isIdle)
})
