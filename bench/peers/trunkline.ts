import { VERSION } from '../../src/version.ts'
import { startGateway } from '../../test/interop/support/gateway.ts'
import { DOMAIN, PHONE, type RunningGateway, WEB } from './model.ts'
import { cpuOfProcesses } from './process-cpu.ts'

/** Our own gateway as a process of its own. */
export async function startTrunkline(): Promise<RunningGateway> {
  const gateway = await startGateway({
    tenants: [
      `  - domain: ${DOMAIN}`,
      '    users:',
      ...[WEB, PHONE].map(({ user, password }) => `      - { name: ${user}, password: ${password} }`),
    ].join('\n'),
    rtpPorts: 2_000,
  })
  const [host = '127.0.0.1', port = '0'] = gateway.sip.split(':')
  return {
    name: `Trunkline ${VERSION}`,
    subject: {
      webSocket: gateway.webSocket,
      sip: { host, port: Number(port) },
      domain: DOMAIN,
      web: WEB,
      phone: PHONE,
    },
    cpuMs: () => cpuOfProcesses([gateway.child.process.pid]),
    stop: () => gateway.stop(),
  }
}
