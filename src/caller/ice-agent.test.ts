import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildStun } from '../media/engines/portable/stun/index.ts'
import { IceAgent, type IceRole } from './ice-agent.ts'

interface End {
  readonly agent: IceAgent
  /** Ports of the other side that were selected, in order. */
  readonly selected: number[]
}

interface PairOptions {
  readonly roles?: readonly [IceRole, IceRole]
  /** Whether the n-th datagram of the link is lost. */
  readonly loses?: (n: number) => boolean
  /** Where the second agent seems to be for the first one, if not at its candidate. */
  readonly natPort?: number
}

/** Two agents at ports 1 and 2 of one host; what they send waits until the link is run. */
function pair({ roles = ['controlling', 'controlled'], loses = () => false, natPort = 2 }: PairOptions = {}) {
  const queue: (() => void)[] = []
  let sent = 0
  const end = (role: IceRole, toOther: (data: Buffer, port: number) => void): End => {
    const selected: number[] = []
    const agent = new IceAgent({
      role,
      send(data, _host, port) {
        if (!loses(sent++)) queue.push(() => toOther(data, port))
      },
      onSelected: (_host, port) => selected.push(port),
    })
    return { agent, selected }
  }
  const first: End = end(roles[0], (data, port) => {
    if (port === natPort) second.agent.handle(data, HOST, 1)
  })
  const second: End = end(roles[1], (data, port) => {
    if (port === 1) first.agent.handle(data, HOST, natPort)
  })
  return {
    first,
    second,
    /** One round of checks of both, and everything that follows from it. */
    round() {
      first.agent.check()
      second.agent.check()
      for (let deliver = queue.shift(); deliver; deliver = queue.shift()) deliver()
    },
  }
}

const HOST = '192.0.2.1'

function introduce({ first, second }: ReturnType<typeof pair>, wrong: { pwd?: string; ufrag?: string } = {}): void {
  const of = ({ agent: { ufrag, pwd } }: End, port: number) => ({
    ufrag,
    pwd,
    lite: false,
    candidates: [{ host: HOST, port }],
  })
  first.agent.setRemote({ ...of(second, 2), ...wrong })
  second.agent.setRemote(of(first, 1))
}

describe('ICE agent', () => {
  test('a pair selects each other in one round', () => {
    const link = pair()
    introduce(link)
    link.round()
    assert.deepEqual([link.first.selected, link.second.selected], [[2], [1]])
  })

  test('law: whichever datagrams are lost, a pair selects each other in the end, and once', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = lcg(seed)
      const link = pair({ loses: () => random() < 0.5 })
      introduce(link)
      for (let round = 0; round < 60; round++) link.round()
      assert.deepEqual([link.first.selected, link.second.selected], [[2], [1]], `seed ${seed}`)
    }
  })

  test('a wrong password never selects', () => {
    const link = pair()
    introduce(link, { pwd: 'not-the-password-of-the-other' })
    for (let round = 0; round < 20; round++) link.round()
    assert.deepEqual(link.first.selected, [])
  })

  test('a check for another user fragment is not answered', () => {
    const link = pair()
    introduce(link, { ufrag: 'stranger' })
    for (let round = 0; round < 20; round++) link.round()
    assert.deepEqual(link.first.selected, [])
  })

  for (const [what, key, port, selects] of [
    ['right one', 'right', 2, true],
    ['one with another password', 'wrong', 2, false],
    ['one from another address', 'right', 3, false],
  ] as const) {
    test(`of answers to a check the ${what} is ${selects ? 'taken' : 'not believed'}`, () => {
      const selected: number[] = []
      const checks: Buffer[] = []
      const agent = new IceAgent({
        role: 'controlling',
        send: (data) => checks.push(data),
        onSelected: (_host, to) => selected.push(to),
      })
      agent.setRemote({ ufrag: 'peer', pwd: 'right', lite: true, candidates: [{ host: HOST, port: 2 }] })
      agent.check()
      const transactionId = checks[0]?.subarray(8, 20) ?? assert.fail()
      agent.handle(buildStun({ class: 'success', transactionId, attributes: [], key }), HOST, port)
      assert.deepEqual(selected, selects ? [2] : [])
    })
  }

  test('RFC 8445 §7.3.1.3: an address that no candidate named is learned from its check', () => {
    const link = pair({ natPort: 7 })
    introduce(link)
    link.round()
    assert.deepEqual([link.first.selected, link.second.selected], [[7], [1]])
  })

  for (const role of ['controlling', 'controlled'] as const) {
    test(`RFC 8445 §7.3.1.1: two agents that are both ${role} settle it`, () => {
      for (let n = 0; n < 20; n++) {
        const link = pair({ roles: [role, role] })
        introduce(link)
        for (let round = 0; round < 3; round++) link.round()
        assert.deepEqual([link.first.selected.at(-1), link.second.selected.at(-1)], [2, 1])
      }
    })
  }

  test('garbage and checks before the answer change nothing', () => {
    const link = pair()
    link.second.agent.setRemote({
      ufrag: link.first.agent.ufrag,
      pwd: link.first.agent.pwd,
      lite: false,
      candidates: [{ host: HOST, port: 1 }],
    })
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(20), Buffer.from('not STUN at all, but long enough')]) {
      link.first.agent.handle(bytes, HOST, 2)
    }
    link.second.agent.check()
    assert.deepEqual(link.first.selected, [])
  })
})

/** Numbers from 0 to 1 that a seed repeats. */
function lcg(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
