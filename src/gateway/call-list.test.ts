import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig } from '../../test/support/core-rig.ts'

test('calls are listed newest first, whether up or over', async () => {
  const rig = new CoreRig()
  const [alice, bob] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7')]
  await bob.register('bob', 'builder')
  await alice.call('alice', 'wonderland', 'bob')
  await rig.advance(1_000)
  await alice.call('alice', 'wonderland', 'nobody')
  await rig.settle()
  assert.deepEqual(
    rig.core.calls().map(({ state }) => state),
    ['ended', 'inviting'],
  )
})
