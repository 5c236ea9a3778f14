import { startGateway } from '../../test/interop/support/gateway.ts'
import type { Subject } from './calls.ts'
import { cpuOfProcess } from './cpu.ts'

export interface OwnGateway {
  readonly subject: Subject
  /** CPU time it has used so far, in ms; undefined where the system does not tell. */
  cpuMs(): number | undefined
  stop(): Promise<void>
}

/** Our own gateway as a process of its own, when no other was named. */
export async function startOwnGateway(): Promise<OwnGateway> {
  const domain = 'bench.test'
  const web = { user: 'web', password: 'web-secret' }
  const phone = { user: 'phone', password: 'phone-secret' }
  const gateway = await startGateway({
    tenants: [
      `  - domain: ${domain}`,
      '    users:',
      `      - { name: ${web.user}, password: ${web.password} }`,
      `      - { name: ${phone.user}, password: ${phone.password} }`,
    ].join('\n'),
    rtpPorts: 2_000,
  })
  const [host = '127.0.0.1', port = '0'] = gateway.sip.split(':')
  return {
    subject: { webSocket: gateway.webSocket, sip: { host, port: Number(port) }, domain, web, phone },
    cpuMs: () => cpuOfProcess(gateway.child.process.pid),
    stop: () => gateway.stop(),
  }
}
