// Programs that tests use and npm does not bring: found, installed where that is possible, or named.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each program. */
const PACKAGES = {
  sipp: 'sip-tester',
  baresip: 'baresip',
  kamailio: 'kamailio',
  chromium: 'chromium',
  'firefox-esr': 'firefox-esr',
  pulseaudio: 'pulseaudio',
  ip: 'iproute2',
  valgrind: 'valgrind',
  rtpengine: 'rtpengine-daemon',
}

/** Installs what is missing if this is Debian and we are root, else says how. @returns Programs still missing. */
export function provide(programs) {
  const missing = programs.filter((program) => !isThere(program))
  if (missing.length === 0) return []
  const packages = [...new Set(missing.flatMap((program) => PACKAGES[program] ?? []))]
  if (packages.length === 0) return missing // Not from Debian, or too old there: who wants them has to bring them.
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    console.log(`installing what the tests need: ${packages.join(' ')}`)
    apt('update')
    apt('install', '-y', '--no-install-recommends', ...packages)
  } else {
    console.log(`!!! missing: ${missing.join(', ')}. On Debian, as root: apt-get update && ${command}`)
  }
  return missing.filter((program) => !isThere(program))
}

export function missingPrograms(needs, unavailable) {
  return needs.filter((program) => unavailable.includes(program))
}

function apt(...args) {
  spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  })
}

function isThere(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
