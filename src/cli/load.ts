import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { GatewayError } from '../base/index.ts'
import { type Config, mistakeText, parseConfig, type Surroundings } from '../config/index.ts'

/**
 * Reads a configuration file; `file:` secrets are relative to its folder.
 *
 * @throws GatewayError `CONFIG_UNREADABLE`, or `CONFIG_INVALID` whose text lists every mistake.
 */
export function loadConfig(path: string, env: Surroundings['env']): Config {
  const result = parseConfig(readText(path), {
    env,
    readFile: (name) => readFileSync(resolve(dirname(path), name), 'utf8'),
    locate: (name) => resolve(dirname(path), name),
    newPassword,
  })
  if ('config' in result) return result.config
  const { mistakes } = result
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  const lines = mistakes.map((mistake) => `  ${path}:${mistakeText(mistake)}`)
  throw new GatewayError('CONFIG_INVALID', `${count} in ${path}\n${lines.join('\n')}`)
}

/** Short enough to type, random enough for one run: 50 bits. */
export function newPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789' // Without what looks alike: i l o 0 1.
  let out = ''
  while (out.length < 10) {
    for (const byte of randomBytes(16)) {
      const letter = letters[byte & 31]
      if (letter !== undefined && out.length < 10) out += letter
    }
  }
  return out
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new GatewayError('CONFIG_UNREADABLE', `cannot read the configuration: ${reason}`, { cause: thrown })
  }
}
