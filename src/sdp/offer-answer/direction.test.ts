import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Direction } from '../model.ts'
import { answerDirection, DIRECTIONS, receives, sends } from './direction.ts'

const cases: readonly (readonly [offered: Direction, willing: Direction, answer: Direction])[] = [
  ['sendrecv', 'sendrecv', 'sendrecv'],
  ['sendrecv', 'recvonly', 'recvonly'],
  ['sendonly', 'sendrecv', 'recvonly'], // Hold, §8.4.
  ['recvonly', 'sendrecv', 'sendonly'],
  ['sendonly', 'sendonly', 'inactive'], // Nobody would listen.
  ['inactive', 'sendrecv', 'inactive'],
]

for (const [offered, willing, answer] of cases) {
  test(`RFC 3264 §6.1: offered ${offered}, willing ${willing}, answer ${answer}`, () => {
    assert.equal(answerDirection(offered, willing), answer)
  })
}

test('law: an answer never sends to a peer that does not receive, over all 16 pairs', () => {
  for (const offered of DIRECTIONS) {
    for (const willing of DIRECTIONS) {
      const answer = answerDirection(offered, willing)
      assert.ok(receives(offered) || !sends(answer), `${offered} / ${willing}`)
      assert.ok(sends(offered) || !receives(answer), `${offered} / ${willing}`)
    }
  }
})
