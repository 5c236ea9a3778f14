import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiEvent, CallDetail } from '../../api/model.ts'
import { type ApiClient, ApiRefusal } from '../api/client.ts'
import { Watch } from './watch.ts'

const WHO = { user: 'alice', domain: 'x', password: 'p' }
const DETAIL: CallDetail = {
  id: 'c',
  tenant: 'x',
  state: 'talking',
  from: 'a',
  to: 'b',
  startedAt: 1,
  legs: [],
  timeline: [{ seq: 1, at: 1, kind: 'note', topic: 't', summary: 'first' }],
  timelineDropped: 0,
}

/** An API whose stream gives `events` and then stays open until aborted. */
function fakeApi(events: readonly ApiEvent[], change: Partial<ApiClient> = {}): ApiClient {
  return {
    pageInfo: () => Promise.reject(new Error('not asked')),
    session: () => Promise.resolve({ token: 't', expiresAt: 0 }),
    calls: () => Promise.resolve([]),
    call: () => Promise.resolve(DETAIL),
    async *events(_token, signal, onOpen) {
      onOpen()
      yield* events
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    ...change,
  }
}

/** Resolves at the first state that `test` accepts. */
function seen(watch: Watch, accepts: (state: ReturnType<Watch['state']['get']>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = watch.state.subscribe(() => {
      if (!accepts(watch.state.get())) return
      unsubscribe()
      resolve()
    })
  })
}

test('a call that begins is fetched with its timeline', async () => {
  const { timeline: _, timelineDropped: __, ...view } = DETAIL
  const watch = new Watch(fakeApi([{ event: 'call', data: view }]))
  const complete = seen(watch, (state) => state.calls.get('c')?.complete === true)
  watch.start(WHO)
  await complete
  assert.equal(watch.state.get().link, 'live')
  assert.equal(watch.state.get().calls.get('c')?.timeline.length, 1)
  watch.stop()
})

test('an event that overtakes the fetched call is not undone by it', async () => {
  const { timeline: _, timelineDropped: __, ...view } = DETAIL
  const answers: (() => void)[] = []
  const watch = new Watch(
    fakeApi(
      [
        { event: 'call', data: { ...view, state: 'answering' } },
        { event: 'call', data: { ...view, state: 'talking' } },
      ],
      { call: () => new Promise((resolve) => answers.push(() => resolve({ ...DETAIL, state: 'answering' }))) },
    ),
  )
  const talking = seen(watch, (state) => state.calls.get('c')?.view.state === 'talking')
  watch.start(WHO)
  await talking
  const complete = seen(watch, (state) => state.calls.get('c')?.complete === true)
  for (const answer of answers) answer()
  await complete
  assert.equal(watch.state.get().calls.get('c')?.view.state, 'talking')
  watch.stop()
})

test('a token that is no longer accepted is replaced by a new one', async () => {
  const tokens = ['old', 'new']
  const api = fakeApi([])
  const watch = new Watch({
    ...api,
    session: () => Promise.resolve({ token: tokens.shift() ?? '', expiresAt: 0 }),
    events: (token, signal, onOpen) => {
      if (token === 'old') throw new ApiRefusal(401, 'the token is out of date')
      return api.events(token, signal, onOpen)
    },
  })
  const lost = seen(watch, (state) => state.link === 'lost')
  const live = seen(watch, (state) => state.link === 'live')
  watch.start(WHO)
  await lost
  assert.match(watch.state.get().words ?? '', /out of date/)
  await live
  watch.stop()
  assert.equal(watch.state.get().link, 'off')
})
