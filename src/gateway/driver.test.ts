import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Core, CoreInput, CoreOutput } from './core-model.ts'
import { createDriver } from './driver.ts'

/** A core that answers each input with what the test wants. */
function scriptedCore(react: (input: CoreInput) => readonly CoreOutput[], deadline: () => number | undefined) {
  const inputs: CoreInput[] = []
  const outputs: CoreOutput[] = []
  let depth = 0
  const core: Pick<Core, 'handle' | 'poll' | 'deadline'> = {
    handle(input) {
      assert.equal(++depth, 1, 'the core is entered once at a time')
      inputs.push(input)
      outputs.push(...react(input))
      depth--
    },
    poll: () => outputs.shift(),
    deadline,
  }
  return { core, inputs }
}

const rethrow = (thrown: unknown): void => {
  throw thrown
}
const CLOSED: CoreInput = { kind: 'flow-closed', flowId: 'a' }
const LOG: CoreOutput = { kind: 'log', level: 'debug', fields: {}, message: 'x' }

test('an input that comes while outputs are carried out waits its turn', () => {
  const { core, inputs } = scriptedCore(
    (input) => (input.kind === 'drain' ? [LOG, LOG] : []),
    () => undefined,
  )
  const order: string[] = []
  const driver = createDriver(
    core,
    () => {
      order.push(`output after ${inputs.length}`)
      driver.handle(CLOSED)
    },
    rethrow,
  )
  driver.handle({ kind: 'drain' })
  assert.deepEqual(order, ['output after 1', 'output after 1'])
  assert.deepEqual(
    inputs.map(({ kind }) => kind),
    ['drain', 'flow-closed', 'flow-closed'],
  )
})

test('an output that fails is told, and those behind it still go out', () => {
  const { core } = scriptedCore(
    () => [LOG, LOG],
    () => undefined,
  )
  let done = 0
  const errors: unknown[] = []
  const driver = createDriver(
    core,
    () => {
      if (++done === 1) throw new Error('no')
    },
    (thrown) => errors.push(thrown),
  )
  driver.handle(CLOSED)
  assert.deepEqual([done, errors.length], [2, 1])
})

/** Node's timers count whole milliseconds and may fire that much early. A wake-up that is early does no harm. */
const EARLY_MS = 2

test('the core is woken at its deadline', async () => {
  const due = performance.now() + 20
  await new Promise<void>((woken) => {
    let deadline: number | undefined = due
    const { core } = scriptedCore(
      (input) => {
        if (input.kind !== 'wake') return []
        assert.ok(performance.now() >= due - EARLY_MS)
        deadline = undefined
        woken()
        return []
      },
      () => deadline,
    )
    createDriver(core, () => {}, rethrow).handle(CLOSED)
  })
})

test('a deadline that no wake-up settles does not take the CPU', async () => {
  const { core, inputs } = scriptedCore(
    () => [],
    () => 0,
  )
  const driver = createDriver(core, () => {}, rethrow)
  driver.handle(CLOSED)
  for (let turns = 0; turns < 200; turns++) await new Promise((done) => setImmediate(done))
  driver.stop()
  assert.ok(inputs.length <= 3, `woken ${inputs.length - 1} times`)
})
