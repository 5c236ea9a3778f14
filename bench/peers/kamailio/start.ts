import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from '../../../test/interop/support/child.ts'
import { freePort } from '../../../test/interop/support/ports.ts'
import { DOMAIN, PHONE, type RunningGateway, WEB } from '../model.ts'
import { cpuOfProcesses } from '../process-cpu.ts'
import { KAMAILIO_IS_UP, type KamailioPorts, kamailioConfig } from './config.ts'

/**
 * Kamailio with rtpengine in userspace, on loopback ports of its own; nothing of the system is touched.
 *
 * Debian: `apt-get install kamailio kamailio-websocket-modules rtpengine-daemon`, neither needs to run as a service.
 *
 * @throws Error with what the program printed, if one is missing or does not start.
 */
export async function startKamailio(): Promise<RunningGateway> {
  const ports: KamailioPorts = {
    sip: await freePort(),
    webSocket: await freePort(),
    control: await freePort(),
  }
  const folder = await mkdtemp(join(tmpdir(), 'bench-kamailio-'))
  const started: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((child) => child.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const version = await versionOf('kamailio', ['-v'], /version: kamailio (\S+)/)
    const engineVersion = await versionOf('rtpengine', ['--version'], /Version: (\d+(?:\.\d+)*)/)
    started.push(await startRtpengine(ports))
    started.push(await startProxy(folder, ports))
    return {
      name: `Kamailio ${version} + rtpengine ${engineVersion} (userspace)`,
      subject: {
        webSocket: `ws://127.0.0.1:${ports.webSocket}`,
        sip: { host: '127.0.0.1', port: ports.sip },
        domain: DOMAIN,
        web: WEB,
        phone: PHONE,
      },
      cpuMs: () => cpuOfProcesses(started.map((child) => child.process.pid)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startRtpengine(ports: KamailioPorts): Promise<Child> {
  const child = startChild('rtpengine', [
    '--foreground',
    '--log-stderr',
    '--log-level=6',
    '--no-log-timestamps',
    '--config-file=none',
    '--table=-1',
    '--interface=127.0.0.1',
    `--listen-ng=127.0.0.1:${ports.control}`,
    '--port-min=21000',
    '--port-max=28999',
  ])
  await child.sees(/Startup complete/)
  return child
}

async function startProxy(folder: string, ports: KamailioPorts): Promise<Child> {
  const file = join(folder, 'kamailio.cfg')
  await writeFile(file, kamailioConfig(ports, DOMAIN, [WEB, PHONE]))
  // -DD: stay in the foreground, but fork the workers. -Y: control sockets go there, not to /run.
  const child = startChild('kamailio', ['-DD', '-E', '-f', file, '-w', folder, '-Y', folder, '-m', '64'])
  await child.sees(new RegExp(KAMAILIO_IS_UP))
  return child
}

async function versionOf(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const child = startChild(program, args)
  return (await child.sees(pattern))[1] ?? 'of unknown version'
}
