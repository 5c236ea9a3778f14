import type { TimelineEntry } from '../../../src/api/index.ts'
import { createApiClient } from '../../../src/web/api/client.ts'
import { type BaresipOptions, startBaresip } from '../../interop/support/baresip.ts'
import { type GatewayProcess, startGateway } from '../../interop/support/gateway.ts'
import { freePort } from '../../interop/support/ports.ts'
import { type SippOptions, startSipp } from '../../interop/support/sipp.ts'
import type { Stack } from '../client/model.ts'
import { type BrowserName, type RunningBrowser, startBrowser } from './browsers.ts'
import { openClient, type RemoteClient } from './client.ts'
import { type ClientPage, serveClientPage } from './client-page.ts'
import { createTestNetwork, type TestNetwork } from './network.ts'

/** One stock client in one browser: a user of the gateway, with a tone of its own. */
export interface Subject {
  readonly stack: Stack
  readonly browser: BrowserName
  readonly user: string
  readonly toneHz: number
  /** What the carrier dials to reach it. */
  readonly number: string
}

export const SUBJECTS: readonly Subject[] = [
  { stack: 'jssip', browser: 'chromium', user: 'anna', toneHz: 620, number: '+15550101' },
  { stack: 'sipjs', browser: 'firefox', user: 'ben', toneHz: 880, number: '+15550102' },
  { stack: 'sipjs', browser: 'chromium', user: 'cleo', toneHz: 740, number: '+15550103' },
  { stack: 'jssip', browser: 'firefox', user: 'dan', toneHz: 520, number: '+15550104' },
]

/** The phone beside them. */
export const PHONE = { user: 'phone', toneHz: 1_150 } as const
export const CARRIER_HZ = 440

/** Domain whose calls ring for long, and one whose unanswered calls are given up soon. */
const DOMAIN = 'example.test'
const IMPATIENT_DOMAIN = 'impatient.test'
/** Of the impatient domain. */
const RING_SECONDS = 2

/** Everything that the browser tests need: a network, a gateway in it, browsers, and makers of peers. */
export interface World {
  readonly gateway: GatewayProcess
  readonly network: TestNetwork
  readonly browser: (name: BrowserName) => RunningBrowser
  /** A registered client in a tab of its own. */
  readonly client: (subject: Subject, patience?: 'impatient') => Promise<RemoteClient>
  readonly phone: (options?: Partial<BaresipOptions>) => ReturnType<typeof startBaresip>
  /** A carrier that waits for the gateway's calls (to `+1…`). */
  readonly carrier: (options: SippOptions, patience?: 'impatient') => ReturnType<typeof startSipp>
  /** A carrier that calls `number`. */
  readonly carrierCalls: (number: string, options: SippOptions, patience?: 'impatient') => ReturnType<typeof startSipp>
  /** Waits for an entry in a call's timeline, past or to come. */
  readonly timelineShows: (call: string, accepts: (entry: TimelineEntry) => boolean) => Promise<void>
  readonly stop: () => Promise<void>
}

/** @param accounts The subjects and their trunks, or the accounts that the gateway makes up for a demo. */
export async function startWorld(names: readonly BrowserName[], accounts: 'subjects' | 'demo'): Promise<World> {
  const network = createTestNetwork()
  const page = await serveClientPage(network.gatewayAddress)
  const ports = { carrier: await freePort(), impatient: await freePort() }
  const gateway = await startGateway({
    address: network.gatewayAddress,
    ...(accounts === 'demo' ? {} : { tenants: tenants(network, ports) }),
    origins: [page.origin],
  })
  const origins = [page.origin, gateway.http].join(',')
  const browsers = await Promise.all(names.map((name) => startBrowser(name, network, origins)))
  return {
    gateway,
    network,
    browser: (name) => named(browsers, name),
    client: (subject, patience) =>
      registered({ subject, browser: named(browsers, subject.browser), page, gateway, domain: domainOf(patience) }),
    ...peers(network, gateway, ports),
    timelineShows: (call, accepts) => timelineShows(gateway, call, accepts),
    stop: async () => {
      await Promise.all(browsers.map((browser) => browser.stop()))
      await gateway.stop()
      page.stop()
      network.remove()
    },
  }
}

function named(browsers: readonly RunningBrowser[], name: BrowserName): RunningBrowser {
  const found = browsers.find((browser) => browser.name === name)
  if (found === undefined) throw new Error(`${name} was not started`)
  return found
}

const domainOf = (patience: 'impatient' | undefined): string => (patience === undefined ? DOMAIN : IMPATIENT_DOMAIN)

async function registered(options: {
  readonly subject: Subject
  readonly browser: RunningBrowser
  readonly page: ClientPage
  readonly gateway: GatewayProcess
  readonly domain: string
}): Promise<RemoteClient> {
  const { stack, user, toneHz } = options.subject
  const client = await openClient(options.browser.browser, options.page.origin)
  const { webSocket } = options.gateway
  await client.register({ stack, webSocket, user, domain: options.domain, password: `${user}-secret`, toneHz })
  return client
}

const SHOW_MS = 10_000

async function timelineShows(
  gateway: GatewayProcess,
  call: string,
  accepts: (entry: TimelineEntry) => boolean,
): Promise<void> {
  const api = createApiClient(`${gateway.http}/`)
  const end = new AbortController()
  const { signal } = end
  const timer = setTimeout(() => end.abort(), SHOW_MS)
  let found = false
  const seen: TimelineEntry[] = []
  const look = (entries: readonly TimelineEntry[]): void => {
    seen.push(...entries)
    found ||= entries.some(accepts)
    if (found) end.abort()
  }
  // The past is asked for when the stream is open, so that nothing falls in between.
  const onOpen = (): void => {
    api.call(gateway.token, call, signal).then(
      ({ timeline }) => look(timeline),
      () => undefined,
    )
  }
  try {
    for await (const event of api.events(gateway.token, signal, onOpen)) {
      if (event.event === 'timeline' && event.data.call === call) look([event.data.entry])
    }
  } catch (error) {
    if (found) return
    throw new Error(`the timeline does not show it: ${seen.map(({ summary }) => summary).join('; ')}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function peers(
  network: TestNetwork,
  gateway: GatewayProcess,
  ports: { readonly carrier: number; readonly impatient: number },
): Pick<World, 'phone' | 'carrier' | 'carrierCalls'> {
  const address = (patience: 'impatient' | undefined): string =>
    patience === undefined ? network.carrierAddress : network.otherCarrierAddress
  return {
    phone: (options = {}) =>
      startBaresip({
        ...PHONE,
        domain: DOMAIN,
        password: `${PHONE.user}-secret`,
        registrar: gateway.sip,
        answer: 'auto',
        address: network.gatewayAddress,
        ...options,
      }),
    carrier: (options, patience) =>
      startSipp({
        address: address(patience),
        port: patience === undefined ? ports.carrier : ports.impatient,
        toneHz: CARRIER_HZ,
        ...options,
      }),
    carrierCalls: (number, options, patience) =>
      startSipp({ address: address(patience), gateway: gateway.sip, calls: number, toneHz: CARRIER_HZ, ...options }),
  }
}

function tenants(network: TestNetwork, ports: { readonly carrier: number; readonly impatient: number }): string {
  const users = [...SUBJECTS.map(({ user }) => user), PHONE.user]
  const lines = (domain: string, limits: string, carrier: string): readonly string[] => [
    `  - domain: ${domain}`,
    `    limits: { ${limits} }`,
    '    users:',
    ...users.map((user) => `      - { name: ${user}, password: ${user}-secret }`),
    '    trunks:',
    `      - { name: carrier, targets: ["sip:${carrier}"], accept: ["${carrier.split(':')[0]}"] }`,
    '    routes:',
    '      - { prefix: "+", trunk: carrier }',
    '    numbers:',
    ...SUBJECTS.map(({ number, user }) => `      - { number: "${number}", to: "user:${user}" }`),
  ]
  return [
    ...lines(DOMAIN, 'ringSeconds: 60', `${network.carrierAddress}:${ports.carrier}`),
    ...lines(IMPATIENT_DOMAIN, `ringSeconds: ${RING_SECONDS}`, `${network.otherCarrierAddress}:${ports.impatient}`),
  ].join('\n')
}
