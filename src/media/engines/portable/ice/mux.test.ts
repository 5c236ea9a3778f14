import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { UdpEnd } from '../../../../../test/support/media-peers.ts'
import { ATTRIBUTE, buildStun, parseStun } from '../stun/index.ts'
import { UdpSocket } from '../udp/socket.ts'
import { type MuxPeer, WebRtcMux } from './mux.ts'

const OURS = { ufrag: 'ours', pwd: 'a password of enough length' }

function check(username = 'ours:theirs'): Buffer {
  return buildStun({
    class: 'request',
    transactionId: randomBytes(12),
    attributes: [
      [ATTRIBUTE.username, Buffer.from(username)],
      [ATTRIBUTE.useCandidate, Buffer.alloc(0)],
    ],
    key: OURS.pwd,
  })
}

interface Bench {
  readonly port: number
  readonly browser: UdpEnd
  readonly attacker: UdpEnd
  /** Ports of the remote ends whose checks counted, in order. */
  readonly counted: number[]
  readonly dtls: Buffer[]
  readonly mux: WebRtcMux
}

async function withMux(run: (bench: Bench) => Promise<void>): Promise<void> {
  const mux = new WebRtcMux((error) => assert.ifError(error))
  const socket = await UdpSocket.bind('127.0.0.1', 0, 65_536)
  const [browser, attacker] = [await UdpEnd.open(), await UdpEnd.open()]
  const counted: number[] = []
  const dtls: Buffer[] = []
  const peer: MuxPeer = {
    onCheck: (path) => void counted.push(path.port),
    onDtls: (datagram) => void dtls.push(datagram),
    onMedia: () => true,
  }
  mux.listen(socket)
  mux.accept(OURS, peer)
  try {
    await run({ port: socket.port, browser, attacker, counted, dtls, mux })
  } finally {
    browser.close()
    attacker.close()
    await socket.close()
  }
}

/** Sends a datagram and waits for its answer: what came before it has then been seen too. */
async function ask(end: UdpEnd, datagram: Buffer, port: number): Promise<Buffer> {
  const answer = end.received.next()
  end.send(datagram, port)
  return answer
}

describe('checks on a shared socket', { timeout: 10_000 }, () => {
  test('a check that somebody copied and sends from elsewhere moves nothing', async () => {
    await withMux(async ({ port, browser, attacker, counted, dtls, mux }) => {
      const copied = check()
      await ask(browser, copied, port)
      await ask(attacker, copied, port)
      assert.deepEqual(counted, [browser.port])
      attacker.send(Buffer.from([22, 0xfe, 0xfd]), port)
      await ask(attacker, copied, port)
      assert.deepEqual([dtls.length, mux.counters.strangers], [0, 1], 'the copy opened no way in')
      await ask(browser, check(), port)
      assert.deepEqual(counted, [browser.port, browser.port])
    })
  })

  test('a repeated check is answered again and does not count as a sign of life', async () => {
    await withMux(async ({ port, browser, counted }) => {
      const repeated = check()
      const [first, second] = [await ask(browser, repeated, port), await ask(browser, repeated, port)]
      assert.deepEqual(first, second)
      assert.equal(parseStun(first)?.class, 'success')
      assert.equal(counted.length, 1)
    })
  })
})
