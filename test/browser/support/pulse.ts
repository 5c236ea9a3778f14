import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from '../../interop/support/child.ts'

export interface SoundServer {
  /** For `PULSE_SERVER`. */
  readonly address: string
  readonly child: Child
  readonly stop: () => Promise<void>
}

/** A sound server of the test's own that plays into nothing: Firefox's WebAudio needs a device. */
export async function startSoundServer(): Promise<SoundServer> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-pulse-'))
  const socket = join(folder, 'socket')
  const child = startChild(
    'pulseaudio',
    [
      '-n',
      '--daemonize=no',
      '--exit-idle-time=-1',
      '--use-pid-file=no',
      '--log-level=info',
      '-L',
      'module-null-sink sink_name=nothing',
      '-L',
      `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
    ],
    { env: { HOME: folder, XDG_RUNTIME_DIR: folder, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' } },
  )
  await child.sees(/Daemon startup complete/)
  return {
    child,
    address: `unix:${socket}`,
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
