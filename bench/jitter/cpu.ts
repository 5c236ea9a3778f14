import { readFileSync } from 'node:fs'

/** Ticks of `/proc` per second: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** CPU time in ms that a process has used, user and system (proc(5), fields 14 and 15); undefined elsewhere than Linux. */
export function cpuOfProcess(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may contain blanks; the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000
  } catch {
    return undefined
  }
}
