import { readFileSync } from 'node:fs'
import type { GatewayProcess } from './gateway.ts'

/** Sum of all series of each metric, and each series by itself: `name` and `name{label="value"}`. */
export async function figures(gateway: GatewayProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${gateway.http}/metrics`)).text()
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    const match = /^(\w+)(\{[^}]*\})? (\S+)$/.exec(line)
    if (match === null) continue
    const [, name = '', labels = '', value = ''] = match
    found.set(name, (found.get(name) ?? 0) + Number(value))
    if (labels !== '') found.set(`${name}${labels}`, Number(value))
  }
  return found
}

/** How much a figure grew. */
export function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0)
}

/** Memory of a process that is really in use, in bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}
