import { readdirSync, readFileSync } from 'node:fs'

/** A process and all that it started, and these in turn, the eldest first. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined
    if (parent !== undefined) parents.set(Number(name), parent)
  }
  const family = [pid]
  // The list grows while it is walked.
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may contain blanks; the fields after it do not.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // It has just ended.
  }
}

/**
 * Memory of processes together in KiB, what they share counted once: anonymous memory and shared memory (the slab), without
 * files, whose share depends on what else runs.
 */
export function memoryOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + memoryOfOne(pid), 0)
}

function memoryOfOne(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
    return of('Pss_Anon') + of('Pss_Shmem')
  } catch {
    return 0
  }
}
