import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GatewayError } from '../../src/base/index.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The load generator: the file named by TRUNKLINE_LOAD_BIN, else built by cargo (which does nothing if nothing changed).
 *
 * @throws GatewayError that says what is missing.
 */
export async function loadProgram(): Promise<string> {
  const named = process.env.TRUNKLINE_LOAD_BIN
  if (named !== undefined) {
    if (!existsSync(named)) throw new GatewayError('CONFIG_INVALID', `TRUNKLINE_LOAD_BIN: there is no ${named}`)
    return named
  }
  return await cargoBuild(['-p', 'trunkline-load'], 'release/trunkline-load')
}

/** Builds with `cargo build --release`. @returns Path of the file `product` of the target folder. */
export async function cargoBuild(args: readonly string[], product: string): Promise<string> {
  const child = spawn('cargo', ['build', '--release', '--manifest-path', join(ROOT, 'native/Cargo.toml'), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = await once(child, 'exit').catch(() => [undefined])
  if (code !== 0) {
    const reason = code === undefined ? 'cargo is not installed (https://rustup.rs)' : 'cargo could not build it'
    throw new GatewayError('CONFIG_INVALID', `${product}: ${reason}`)
  }
  return join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'native/target'), product)
}
