import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import JsSIP from 'jssip'
import { type Core, Messager, Publisher, Registerer, Subscriber, SubscriptionState, type URI, UserAgent } from 'sip.js'
import { WebSocket } from 'ws'
import { eventually as look } from './support/eventually.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const DOMAIN = 'example.test'

/** A loaded machine takes its time. */
const eventually = (check: () => void): Promise<void> => look(check, 30_000)
const PRESENCE =
  '<presence xmlns="urn:ietf:params:xml:ns:pidf"><tuple id="1"><status><basic>open</basic></status>' +
  '<note>at lunch</note></tuple></presence>'

describe('what stock SIP.js and JsSIP do besides calling', { skip }, () => {
  let gateway: GatewayProcess
  before(async () => {
    Object.assign(globalThis, { WebSocket }) // The only thing of a browser that they need for this.
    gateway = await startGateway({ tenants: TENANTS })
  })
  after(() => gateway?.stop())

  test('they write to each other (RFC 3428)', async () => {
    const read: string[] = []
    const alice = await startSipJs(gateway, 'alice', (text) => void read.push(text))
    const bob = await startJsSip(gateway, 'bob', (text) => void read.push(text))
    try {
      const statuses: (number | undefined)[] = []
      const note = ({ message }: Core.IncomingResponse): void => void statuses.push(message.statusCode)
      const requestDelegate = { onAccept: note, onReject: note }
      await new Messager(alice, uriOf('bob'), 'hello bob').message({ requestDelegate })
      await eventually(() => assert.deepEqual([read, statuses], [['hello bob'], [200]]))
      bob.sendMessage(`sip:alice@${DOMAIN}`, 'hello alice')
      await eventually(() => assert.deepEqual(read, ['hello bob', 'hello alice']))
    } finally {
      bob.stop()
      await alice.stop()
    }
  })

  test('SIP.js watches the presence that comes with a registration, and what SIP.js published', async () => {
    const alice = await startSipJs(gateway, 'alice')
    const bob = await startSipJs(gateway, 'bob')
    try {
      const watch = new Subscriber(alice, uriOf('bob'), 'presence', { expires: 600 })
      const told: string[] = []
      watch.delegate = {
        async onNotify(notification) {
          told.push(notification.request.body)
          await notification.accept()
        },
      }
      await watch.subscribe()
      await eventually(() => assert.match(told.at(-1) ?? '', /<basic>open</))
      const publisher = new Publisher(bob, uriOf('bob'), 'presence', {
        body: PRESENCE,
        contentType: 'application/pidf+xml',
        expires: 600,
      })
      await publisher.publish(PRESENCE)
      await eventually(() => assert.match(told.at(-1) ?? '', /<note>at lunch</))
      await publisher.unpublish()
      await eventually(() => assert.doesNotMatch(told.at(-1) ?? '', /at lunch/))
      await watch.unsubscribe()
      await eventually(() => assert.equal(watch.state, SubscriptionState.Terminated))
    } finally {
      await alice.stop()
      await bob.stop()
    }
  })
})

const TENANTS = `
  - domain: ${DOMAIN}
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
`

function uriOf(user: string): URI {
  const uri = UserAgent.makeURI(`sip:${user}@${DOMAIN}`)
  assert.ok(uri)
  return uri
}

/** A registered user agent of SIP.js. */
async function startSipJs(gateway: GatewayProcess, user: string, onText?: (text: string) => void): Promise<UserAgent> {
  const agent = new UserAgent({
    uri: uriOf(user),
    authorizationUsername: user,
    authorizationPassword: `${user}-secret`,
    transportOptions: { server: gateway.webSocket },
    logLevel: 'error',
    delegate: {
      async onMessage(message) {
        await message.accept()
        onText?.(message.request.body)
      },
    },
  })
  await agent.start()
  const registerer = new Registerer(agent)
  await registerer.register()
  await eventually(() => assert.equal(registerer.state, 'Registered'))
  return agent
}

/** A registered user agent of JsSIP. */
async function startJsSip(gateway: GatewayProcess, user: string, onText: (text: string) => void) {
  const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(gateway.webSocket)],
    uri: `sip:${user}@${DOMAIN}`,
    password: `${user}-secret`,
  })
  agent.on('newMessage', ({ originator, request }: { originator: unknown; request: { body: string } }) => {
    if (String(originator) === 'remote') onText(request.body)
  })
  agent.start()
  await eventually(() => assert.ok(agent.isRegistered()))
  return agent
}
