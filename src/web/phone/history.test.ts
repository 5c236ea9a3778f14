import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HISTORY_LENGTH, historyOf } from './history.ts'
import type { RecentCall } from './model.ts'

const call = (id: string): RecentCall => ({
  id,
  direction: 'outgoing',
  peer: 'bob',
  redial: 'bob',
  startedAt: 1,
  talkedMs: 2,
  outcome: { words: 'You hung up.', problem: false },
})

function memory(): Pick<Storage, 'getItem' | 'setItem'> & { readonly values: Map<string, string> } {
  const values = new Map<string, string>()
  return { values, getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) }
}

test('each account has its own history, and it is bounded', () => {
  const storage = memory()
  historyOf('alice@x', storage).write(Array.from({ length: 40 }, (_, n) => call(`c${n}`)))
  assert.equal(historyOf('alice@x', storage).read().length, HISTORY_LENGTH)
  assert.deepEqual(historyOf('bob@x', storage).read(), [])
})

test('garbage in the storage is left out, not shown', () => {
  const storage = memory()
  storage.values.set('trunkline.recent.a@x', JSON.stringify([{ id: 1 }, null, call('c1')]))
  assert.deepEqual(historyOf('a@x', storage).read(), [call('c1')])
  storage.values.set('trunkline.recent.a@x', '{not json')
  assert.deepEqual(historyOf('a@x', storage).read(), [])
})

test('a storage that throws does not break the phone', () => {
  const refuse = (): never => {
    throw new Error('denied')
  }
  const history = historyOf('a@x', { getItem: refuse, setItem: refuse })
  history.write([call('c1')])
  assert.deepEqual(history.read(), [])
})
