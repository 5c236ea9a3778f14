import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { Config, PortRange, SipListen } from '../config/index.ts'
import type { HostPort } from '../sip/index.ts'

const TRIES = 50

/**
 * The configuration with free ports in place of default ones that are taken, and a sentence for each that changed.
 * Only for a start without a file: ports that somebody wrote down are never changed.
 */
export async function withFreePorts(
  config: Config,
): Promise<{ readonly config: Config; readonly notes: readonly string[] }> {
  const http = await nextFree(config.listen.http.port, (port) => tcpFree({ ...config.listen.http, port }))
  const [first] = config.listen.sip
  const wanted = first?.port ?? 5060
  const sip = await nextFree(wanted, (port) => allFree(config.listen.sip.map((address) => ({ ...address, port }))))
  const { webrtcPorts } = config.media
  const size = webrtcPorts.to - webrtcPorts.from + 1
  const webrtcFrom = await nextFree(webrtcPorts.from, (from) => rangeFree({ from, to: from + size - 1 }), size)
  const notes = [
    ...(http === config.listen.http.port ? [] : [`port ${config.listen.http.port} is taken, the page is on ${http}`]),
    ...(sip === wanted ? [] : [`port ${wanted} is taken, SIP is on ${sip}`]),
    ...(webrtcFrom === webrtcPorts.from
      ? []
      : [
          `some of the ports ${webrtcPorts.from}-${webrtcPorts.to} are taken, browser media is on ${webrtcFrom} and up`,
        ]),
  ]
  const listen = {
    http: { ...config.listen.http, port: http },
    sip: config.listen.sip.map((address) => ({ ...address, port: sip })),
  }
  const media = { ...config.media, webrtcPorts: { from: webrtcFrom, to: webrtcFrom + size - 1 } }
  return { config: { ...config, listen, media }, notes }
}

/** The first free port from `port` on; `port` itself if none is, so that listening says why. */
async function nextFree(port: number, isFree: (port: number) => Promise<boolean>, step = 1): Promise<number> {
  for (let n = 0; n < TRIES; n++) if (await isFree(port + n * step)) return port + n * step
  return port
}

async function rangeFree(range: PortRange): Promise<boolean> {
  for (let port = range.from; port <= range.to; port++) if (!(await udpFree({ host: '0.0.0.0', port }))) return false
  return tcpFree({ host: '0.0.0.0', port: range.from }) // ICE-TCP.
}

async function allFree(addresses: readonly SipListen[]): Promise<boolean> {
  for (const address of addresses) {
    if (!(await (address.transport === 'udp' ? udpFree(address) : tcpFree(address)))) return false
  }
  return true
}

/** Any other trouble (no such address, no right) counts as free: listening will name it. */
function tcpFree({ host, port }: HostPort): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error) => done(!isTaken(error)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(true)))
  })
}

function udpFree({ host, port }: HostPort): Promise<boolean> {
  return new Promise((done) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error) => done(!isTaken(error)))
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => done(true)))
  })
}

function isTaken(error: Error): boolean {
  return 'code' in error && error.code === 'EADDRINUSE'
}
