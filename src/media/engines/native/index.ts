import { randomBytes } from 'node:crypto'
import { GatewayError } from '../../../base/index.ts'
import type { NativeConfig } from './config.ts'
import { controlPath } from './control-path.ts'
import { NativeEngine } from './engine.ts'
import { launcher } from './keeper.ts'
import { findMediaProgram } from './program.ts'

export type { NativeConfig } from './config.ts'
export type { NativeEngine } from './engine.ts'
export { findMediaProgram, type MediaProgram, mediaPackage } from './program.ts'

/**
 * The engine in Rust (`native/`): a relay thread for each core, calls that outlive its processes.
 *
 * Finds the engine that a gateway before left running with its calls, else starts one.
 *
 * @throws GatewayError `MEDIA_ENGINE_MISSING`: there is no program for this platform.
 * @throws GatewayError `LISTEN_FAILED`: ports are taken, or another gateway uses the engine.
 * @throws GatewayError `CONFIG_INVALID`: the path of the control socket cannot be used.
 */
export async function createNativeEngine(config: NativeConfig): Promise<NativeEngine> {
  const program = config.program ?? findMediaProgram()?.path
  if (program === undefined) throw new GatewayError('MEDIA_ENGINE_MISSING', 'there is no trunkline-media program')
  const gateway = `gateway-${process.pid}-${randomBytes(3).toString('hex')}`
  const path = controlPath(config)
  const engine = new NativeEngine({ path, gateway, launch: launcher(program, config), log: config.log })
  await engine.start()
  return engine
}
