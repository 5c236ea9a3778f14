/** Reading of text that may be anything: what is not of the asked kind reads as absent. */
export type Path = readonly (string | number)[]

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return value
}

export function textAt(root: unknown, ...path: Path): string | undefined {
  const value = valueAt(root, path)
  return typeof value === 'string' ? value : undefined
}

export function listAt(root: unknown, ...path: Path): readonly unknown[] {
  const value = valueAt(root, path)
  return Array.isArray(value) ? value : []
}

/** The value without keys that have no value: `api:` with nothing behind it is as if it were not there. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  )
}

/** `tenants[0].users[1].password`. */
export function pathText(path: readonly PropertyKey[]): string {
  let out = ''
  for (const step of path) {
    if (typeof step === 'number') out += `[${step}]`
    else out += `${out === '' ? '' : '.'}${String(step)}`
  }
  return out
}
