import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of `/proc` per second: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/**
 * CPU time in ms that processes and their living children have used, user and system; undefined elsewhere than Linux.
 *
 * A server that forks workers (Kamailio) does its work in the children.
 */
export function cpuOfProcesses(roots: readonly (number | undefined)[]): number | undefined {
  const all = processes()
  if (all.size === 0 || roots.some((pid) => pid === undefined || !all.has(pid))) return undefined
  const counted = new Set(roots)
  let ticks = 0
  // A parent is older than its children, but process ids wrap around: look until nothing is added.
  for (let before = -1; before !== counted.size; ) {
    before = counted.size
    for (const [pid, { parent }] of all) if (counted.has(parent)) counted.add(pid)
  }
  for (const pid of counted) ticks += (pid === undefined ? undefined : all.get(pid)?.ticks) ?? 0
  return (ticks / TICKS_PER_SECOND) * 1_000
}

interface Process {
  readonly parent: number
  readonly ticks: number
}

function processes(): Map<number, Process> {
  const found = new Map<number, Process>()
  try {
    for (const name of readdirSync('/proc')) {
      const stat = /^\d+$/.test(name) ? statOf(name) : undefined
      if (stat) found.set(Number(name), stat)
    }
  } catch {
    // No /proc: the caller says "not known".
  }
  return found
}

/** Fields 4, 14 and 15 of proc(5); undefined if the process has just ended. */
function statOf(pid: string): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may contain blanks; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    return undefined
  }
}
