import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type Flow, type HostPort, parseUri, uriEquals } from '../../src/sip/index.ts'
import { createRequest } from '../../src/sip/message/create.ts'
import { responseTarget, stampSource } from '../../src/sip/response-routing.ts'
import { corpusFile } from '../support/corpora.ts'

interface UriPair {
  readonly a: string
  readonly b: string
  readonly rfc: string
  readonly equal?: boolean
}

interface Routing {
  readonly name: string
  readonly via: string
  readonly ref: string
  readonly src?: readonly [host: string, port: number]
  readonly arrived_on?: string
  readonly expect: string | readonly [host: string, port: number]
  readonly add?: Readonly<Record<string, string>>
}

/** Cases we answer otherwise, by name, each with its reason. */
const EXCEPTIONS = JSON.parse(
  readFileSync(new URL('./sip-decisions.exceptions.json', import.meta.url), 'utf8'),
) as Record<string, string>

const uris = corpusFile<Record<'equal' | 'not_equal' | 'ipv6', readonly UriPair[]>>('sip-decisions', 'uri-compare.json')
const routing = corpusFile<{ readonly cases: readonly Routing[] }>('sip-decisions', 'response-routing.json')

describe('which URIs are equal', () => {
  const pairs = [
    ...(uris?.equal ?? []).map((pair) => ({ ...pair, equal: true })),
    ...(uris?.not_equal ?? []).map((pair) => ({ ...pair, equal: false })),
    ...(uris?.ipv6 ?? []),
  ]
  for (const { a, b, rfc, equal } of pairs) {
    test(`RFC ${rfc}: ${a} ${equal ? '=' : '≠'} ${b}`, () => {
      assert.equal(uriEquals(a, b), equal)
      assert.equal(uriEquals(parseUri(b), parseUri(a)), equal)
    })
  }
})

describe('where a response goes', () => {
  for (const one of routing?.cases ?? []) {
    const reason = EXCEPTIONS[one.name]
    test(`${one.ref}: ${one.name}`, () => {
      const [host, port] = one.src ?? ['192.0.2.9', 7_000]
      const flow: Flow = {
        id: 'c1',
        transport: one.arrived_on === undefined ? 'udp' : 'tcp',
        local: { host: '192.0.2.1', port: 5060 },
        remote: { host, port },
      }
      const request = createRequest({ method: 'OPTIONS', uri: 'sip:x', headers: [{ name: 'Via', value: one.via }] })
      const target = responseTarget(request.headers.viaSpan, flow)
      if (typeof one.expect === 'string') {
        const otherwise = { kind: 'address', transport: 'tcp', to: { host, port: 5060 } }
        return assert.deepEqual(target, { kind: 'flow', flow, otherwise })
      }
      const to: HostPort = target.kind === 'flow' ? target.flow.remote : target.to
      if (reason !== undefined) return assert.notDeepEqual([to.host, to.port], one.expect, reason)
      assert.deepEqual([to.host, to.port], one.expect)
      if (one.add === undefined) return
      const { params } = stampSource(request, flow).headers.topVia
      const added = ['received', 'rport'].flatMap((name) => {
        const value = params.get(name)
        return value === undefined ? [] : [[name, value]]
      })
      assert.deepEqual(Object.fromEntries(added), one.add)
    })
  }
})
