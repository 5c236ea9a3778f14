import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { corpusFile } from '../../../../../test/support/corpora.ts'
import { answerCheck } from '../ice/answer-check.ts'
import { ATTRIBUTE, buildStun, isAuthentic, parseStun, xorMappedAddress } from './index.ts'

interface Vector {
  readonly name: string
  readonly message_hex: string
  readonly attributes: readonly { readonly type: string; readonly value_hex: string }[]
  readonly transaction_id: string
  readonly class: 'request' | 'success'
  readonly integrity_key_hex?: string
  readonly xor_mapped_address?: { readonly ip: string; readonly port: number }
  readonly expect: { readonly integrity?: boolean; readonly fingerprint?: boolean }
}

interface Case {
  readonly name: string
  readonly message_hex: string
  readonly expect: string
}

const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt'
const passwordOf = (ufrag: string): string | undefined => (ufrag === 'evtj' ? PASSWORD : undefined)
const FROM = { address: '192.0.2.7', port: 40_000 }

const VECTORS = corpusFile<{ vectors: readonly Vector[] }>('stun', 'vectors.json')?.vectors ?? []
const CASES = corpusFile<{ cases: readonly Case[] }>('stun', 'negative.json')?.cases ?? []
const options = { skip: VECTORS.length === 0 ? 'no conformance data' : false }

describe('STUN vectors of RFC 5769 and RFC 8489', options, () => {
  for (const vector of VECTORS) {
    const bytes = Buffer.from(vector.message_hex, 'hex')
    const sha1 = vector.attributes.some((attribute) => Number(attribute.type) === ATTRIBUTE.messageIntegrity)

    test(`${vector.name} is read as printed`, () => {
      const message = parseStun(bytes)
      assert.ok(message)
      assert.equal(message.class, vector.class)
      assert.equal(message.transactionId.toString('hex'), vector.transaction_id)
      for (const { type, value_hex } of vector.attributes) {
        if (Number(type) === ATTRIBUTE.fingerprint) continue
        assert.equal(message.attributes.get(Number(type))?.toString('hex'), value_hex, type)
      }
      if (sha1 && vector.integrity_key_hex !== undefined) {
        assert.equal(isAuthentic(message, Buffer.from(vector.integrity_key_hex, 'hex')), vector.expect.integrity)
        assert.equal(isAuthentic(message, 'another'), false)
      }
      assert.equal(message.hasFingerprint, vector.expect.fingerprint ?? false)
    })

    if (!sha1 || vector.expect.fingerprint !== true || vector.integrity_key_hex === undefined) continue
    const key = Buffer.from(vector.integrity_key_hex, 'hex')
    test(`${vector.name} is built again byte by byte`, () => {
      const own: number[] = [ATTRIBUTE.messageIntegrity, ATTRIBUTE.fingerprint]
      const attributes = vector.attributes
        .filter(({ type }) => !own.includes(Number(type)))
        .map(({ type, value_hex }) => [Number(type), Buffer.from(value_hex, 'hex')] as const)
      const transactionId = Buffer.from(vector.transaction_id, 'hex')
      const built = buildStun({ class: vector.class, transactionId, attributes, key, padding: 0x20 })
      assert.equal(built.toString('hex'), vector.message_hex)
      const mapped = vector.xor_mapped_address
      if (mapped === undefined) return
      const value = vector.attributes.find(({ type }) => Number(type) === ATTRIBUTE.xorMappedAddress)?.value_hex
      assert.equal(xorMappedAddress(mapped.ip, mapped.port, transactionId).toString('hex'), value)
    })
  }
})

describe('STUN checks that must not count', options, () => {
  const good = Buffer.from(CASES.find(({ name }) => name === 'good-ice-check')?.message_hex ?? '', 'hex')

  for (const { name, message_hex, expect } of CASES) {
    test(`${name}: ${expect}`, () => {
      const outcome = answerCheck(Buffer.from(message_hex, 'hex'), FROM, passwordOf)
      const seen =
        outcome.kind === 'authentic' ? 'success' : outcome.kind === 'refused' ? `${outcome.status}` : 'discard'
      if (/^(success|\d{3}|discard)(-or-|$)/.test(expect)) {
        assert.ok(expect.split('-or-').includes(seen), `${seen} instead of ${expect}`)
      } else if (expect === 'not-stun') {
        assert.equal(seen, 'discard')
      } else if (expect === 'ignore-late-attributes') {
        assert.ok(outcome.kind === 'authentic' && !outcome.nominated)
      }
      assert.equal(answerCheck(good, FROM, passwordOf).kind, 'authentic', 'the good check still counts')
    })
  }

  test('every single changed byte of a good check, and every cut of it, fails', () => {
    assert.equal(answerCheck(good, FROM, passwordOf).kind, 'authentic')
    for (let at = 0; at < good.length; at++) {
      assert.notEqual(answerCheck(good.subarray(0, at), FROM, passwordOf).kind, 'authentic', `cut at ${at}`)
      for (const flip of [1, 0x80, 0xff]) {
        const broken = Buffer.from(good)
        broken[at] = (broken[at] ?? 0) ^ flip
        assert.notEqual(answerCheck(broken, FROM, passwordOf).kind, 'authentic', `byte ${at} ^ ${flip}`)
      }
    }
  })

  test('the answer carries the mapped address and our integrity', () => {
    const outcome = answerCheck(good, FROM, passwordOf)
    assert.ok(outcome.kind === 'authentic')
    assert.equal(outcome.nominated, true)
    const response = parseStun(outcome.response)
    assert.ok(response?.hasFingerprint && isAuthentic(response, PASSWORD))
    const mapped = xorMappedAddress(FROM.address, FROM.port, response.transactionId)
    assert.deepEqual(response.attributes.get(ATTRIBUTE.xorMappedAddress), mapped)
  })

  test('RFC 8445 §7.3.1.1: a peer that believes to be controlled is told 487', () => {
    const transactionId = good.subarray(8, 20)
    const check = buildStun({
      class: 'request',
      transactionId,
      attributes: [
        [ATTRIBUTE.username, Buffer.from('evtj:peer')],
        [ATTRIBUTE.iceControlled, Buffer.alloc(8, 1)],
      ],
      key: PASSWORD,
    })
    const outcome = answerCheck(check, FROM, passwordOf)
    assert.ok(outcome.kind === 'refused' && outcome.status === 487)
    const response = parseStun(outcome.response)
    assert.ok(response !== undefined && isAuthentic(response, PASSWORD))
  })

  test('no refusal of a stranger is much longer than what it refuses', () => {
    const bare = Buffer.concat([Buffer.from('000100002112a442', 'hex'), good.subarray(8, 20)])
    const outcome = answerCheck(bare, FROM, passwordOf)
    assert.ok(outcome.kind === 'refused' && outcome.status === 400)
    assert.ok(outcome.response.length <= bare.length + 16)
  })

  test('RFC 8445 §7.3: a username is two fragments with a colon', () => {
    const outcomes = ['evtj', 'evtj:', 'evtj:peer'].map((username) => {
      const transactionId = good.subarray(8, 20)
      const attributes = [[ATTRIBUTE.username, Buffer.from(username)]] as const
      return answerCheck(buildStun({ class: 'request', transactionId, attributes, key: PASSWORD }), FROM, passwordOf)
    })
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['refused', 'authentic', 'authentic'],
    )
  })
})
