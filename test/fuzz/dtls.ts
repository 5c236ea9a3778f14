import assert from 'node:assert/strict'
import { createCertificate, DtlsEndpoint } from '../../src/media/engines/portable/dtls/index.ts'
import { seededRandom } from '../support/random.ts'
import { mutate } from './mutate.ts'

const ours = createCertificate(Date.UTC(2026, 0, 1))
const theirs = createCertificate(Date.UTC(2026, 0, 1))

interface Ends {
  readonly server: DtlsEndpoint
  readonly client: DtlsEndpoint
}

/** A handshake into which changed copies of its own datagrams are mixed. @throws Error with the seed. */
export function fuzzDtls(rounds: number, seed: number): void {
  for (let round = 0; round < rounds; round++) {
    try {
      handshake(seed + round)
    } catch (error) {
      throw new Error(`DTLS seed ${seed + round}`, { cause: error })
    }
  }
}

/** Nothing throws, nothing is sent without bound, and keys only ever come in pairs. */
function handshake(seed: number): void {
  const random = seededRandom(seed)
  const ends: Ends = {
    server: new DtlsEndpoint({ role: 'server', certificate: ours, peerFingerprints: [theirs.fingerprint] }),
    client: new DtlsEndpoint({ role: 'client', certificate: theirs, peerFingerprints: [ours.fingerprint] }),
  }
  const seen: Buffer[] = []
  const keys: string[] = []
  let sent = 0
  let now = 0
  ends.client.start(now)
  ends.server.start(now)
  for (let step = 0; step < 40; step++) {
    for (const [from, to] of [
      [ends.client, ends.server],
      [ends.server, ends.client],
    ] as const) {
      for (let output = from.poll(); output !== undefined; output = from.poll()) {
        if (output.kind === 'connected') keys.push(output.keys.suite)
        if (output.kind !== 'send') continue
        sent++
        seen.push(output.datagram)
        if (random.between(0, 3) === 0) to.handle(mutate(output.datagram, seen, random), now)
        if (random.between(0, 9) > 0) to.handle(output.datagram, now)
      }
    }
    now += 150
    ends.client.wake(now)
    ends.server.wake(now)
  }
  assert.ok(sent < 1_000, `${sent} datagrams`)
  if (ends.client.state === 'connected' && ends.server.state === 'connected') assert.equal(keys.length, 2)
}

if (process.argv[1]?.endsWith('fuzz/dtls.ts')) {
  for (let seed = Date.now(); ; seed += 1_000) fuzzDtls(1_000, seed)
}
