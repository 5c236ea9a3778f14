import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { freePort, hostPort } from './ports.ts'

export interface GatewayProcessOptions {
  /** Address it listens on and tells peers. Default 127.0.0.1. */
  readonly address?: string
  /** YAML below `tenants:`; see `docs/config.md`. Without it the gateway makes its demo accounts. */
  readonly tenants?: string
  /** Further lines of the configuration. */
  readonly config?: readonly string[]
  /** It takes SIP over TLS, and its page over https, with this certificate. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** Ports of the RTP pool. Default 400. */
  readonly rtpPorts?: number
  readonly netns?: string
  /** Web origins besides its own that may open the WebSocket. */
  readonly origins?: readonly string[]
  /** Memory for its objects in MiB; it dies when it needs more. Default: Node's own. */
  readonly heapMiB?: number
}

export interface GatewayProcess {
  /** `http://HOST:PORT`. */
  readonly http: string
  /** `ws://HOST:PORT/sip`. */
  readonly webSocket: string
  /** `HOST:PORT` of the SIP listeners (UDP and TCP). */
  readonly sip: string
  readonly sipPort: number
  /** Ports of SIP over TLS and of https, where there is a certificate. */
  readonly tlsPort: number
  readonly httpsPort: number
  readonly token: string
  readonly child: Child
  /** GET of `/v1…` with the operator's token. */
  api<T>(path: string): Promise<T>
  stop(): Promise<void>
}

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
const TOKEN = 'token-of-this-test'

/** The real gateway as its own process, with ports of its own, ready to take calls. */
export async function startGateway(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const address = options.address ?? '127.0.0.1'
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-gateway-'))
  const own = options.netns === undefined ? address : undefined
  const sipPort = await freePort(own)
  const httpPort = await freePort(own)
  const [tlsPort, httpsPort] = [await freePort(own), await freePort(own)]
  const sip = hostPort(address, sipPort)
  const { certificate } = options
  const media = await mediaPorts(options.rtpPorts ?? 400)
  const file = join(folder, 'trunkline.yaml')
  await writeFile(
    file,
    [
      'listen:',
      `  http: "${hostPort(address, httpPort)}"`,
      ...(certificate === undefined
        ? [`  sip: ["udp:${sip}", "tcp:${sip}"]`]
        : [
            `  https: "${hostPort(address, httpsPort)}"`,
            `  sip: ["udp:${sip}", "tcp:${sip}", "tls:${hostPort(address, tlsPort)}"]`,
            `tls: { certificates: [{ cert: ${certificate.cert}, key: ${certificate.key} }] }`,
          ]),
      'media:',
      '  engine: auto',
      `  control: ${join(folder, 'media.sock')}`,
      `  advertise: ["${address}"]`,
      `  webrtcPorts: "${media.webrtc}-${media.webrtc}"`,
      `  rtpPorts: "${media.rtp}-${media.rtpEnd}"`,
      `api: { token: ${TOKEN}, origins: ${JSON.stringify(options.origins ?? [])} }`,
      ...(options.config ?? []),
      ...(options.tenants === undefined ? [] : ['tenants:', options.tenants]),
    ].join('\n'),
  )
  const child = startChild(process.execPath, ['--import', 'tsx', MAIN, 'start', '--config', file], {
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    ...(options.netns === undefined ? {} : { netns: options.netns }),
    ...(options.heapMiB === undefined ? {} : { env: { NODE_OPTIONS: `--max-old-space-size=${options.heapMiB}` } }),
  })
  await child.sees(/Trunkline .* is up/, 30_000)
  const http = `http://${hostPort(address, httpPort)}`
  return {
    http,
    webSocket: `ws://${hostPort(address, httpPort)}/sip`,
    sip,
    sipPort,
    tlsPort,
    httpsPort,
    token: TOKEN,
    child,
    async api<T>(path: string): Promise<T> {
      const response = await fetch(`${http}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as T
    },
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A stretch of UDP ports away from the ephemeral range, so that files running side by side do not meet. */
async function mediaPorts(count: number): Promise<{ webrtc: number; rtp: number; rtpEnd: number }> {
  const rtp = 10_000 + 2 * Math.floor(Math.random() * (10_000 - count / 2))
  return { rtp, rtpEnd: rtp + count - 1, webrtc: await freePort() }
}
