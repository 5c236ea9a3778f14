import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startBaresip } from './support/baresip.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { type Sipp, type SippOptions, startSipp } from './support/sipp.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const DOMAIN = 'example.test'

describe('what phones do besides calling', { skip }, () => {
  let gateway: GatewayProcess
  before(async () => {
    gateway = await startGateway({ tenants: TENANTS })
  })
  after(() => gateway?.stop())

  const phone = async (user: string, answer: 'auto' | 'manual') => {
    const started = await startBaresip({
      user,
      domain: DOMAIN,
      password: `${user}-secret`,
      registrar: gateway.sip,
      toneHz: 440,
      answer,
    })
    await started.registered()
    return started
  }

  test('a busy lamp follows a real call: trying, early, confirmed, terminated (RFC 4235)', async () => {
    const [alice, bob] = await Promise.all([phone('alice', 'auto'), phone('bob', 'manual')])
    const lamp = await startSipp({
      scenario: 'phone-watches',
      gateway: gateway.sip,
      calls: 'bob',
      auth: { user: 'carol', password: 'carol-secret' },
      keys: { domain: DOMAIN, watcher: 'carol' },
    })
    try {
      await lamp.child.sees(/lamp-is-full/, 30_000)
      await alice.command('dial', `sip:bob@${DOMAIN}`)
      await bob.event('CALL_INCOMING')
      await lamp.child.sees(/lamp-is-early/, 30_000)
      await bob.command('accept')
      await lamp.child.sees(/lamp-is-confirmed/, 30_000)
      await alice.command('hangup')
      await lamp.succeeded()
      assert.match(lamp.child.output(), /lamp-is-trying[\s\S]*lamp-is-early/)
    } finally {
      await Promise.all([lamp.stop(), alice.stop(), bob.stop()])
    }
  })

  test('a MESSAGE to a phone that is there is taken at once', async () => {
    const bob = await phone('bob', 'manual')
    try {
      await write('bob', 'text-now', 200)
    } finally {
      await bob.stop()
    }
  })

  test('MESSAGEs to a phone that is not there wait, and come in their order when it registers', async () => {
    await write('carol', 'text-first', 202)
    await write('carol', 'text-second', 202)
    const port = await freePort()
    const reader = await startSipp({ scenario: 'phone-reads', port, count: 2 })
    try {
      await use({
        scenario: 'register',
        gateway: gateway.sip,
        calls: 'carol',
        auth: { user: 'carol', password: 'carol-secret' },
        keys: { domain: DOMAIN },
        words: { '[local_ip]:[local_port];transport=[transport]>': `[local_ip]:${port}>` },
      })
      await reader.succeeded()
      assert.deepEqual(reader.child.output().match(/has-read-text-\w+/g), [
        'has-read-text-first',
        'has-read-text-second',
      ])
    } finally {
      await reader.stop()
    }
  })

  const write = (to: string, text: string, status: number): Promise<void> =>
    use({
      scenario: 'phone-writes',
      gateway: gateway.sip,
      calls: to,
      auth: { user: 'alice', password: 'alice-secret' },
      keys: { domain: DOMAIN, writer: 'alice' },
      words: { STATUS: String(status), TEXT: text },
    })
})

/** Runs a scenario to its end. */
async function use(options: SippOptions): Promise<void> {
  const sipp: Sipp = await startSipp(options)
  try {
    await sipp.succeeded()
  } finally {
    await sipp.stop()
  }
}

const TENANTS = `
  - domain: ${DOMAIN}
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
      - { name: carol, password: carol-secret }
`
