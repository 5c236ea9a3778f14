import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the conformance data is; `undefined`, said loudly, when this machine has none. With `CI=true` it must be there. */
export function corpus(topic: string): string | undefined {
  const path = join(process.env.TRUNKLINE_CORPORA ?? join(process.cwd(), '../shared/corpora'), topic)
  if (existsSync(path)) return path
  if (process.env.CI === 'true') throw new Error(`no conformance data at ${path}; set TRUNKLINE_CORPORA`)
  console.warn(`SKIPPED: no conformance data for ${topic} at ${path}; set TRUNKLINE_CORPORA`)
  return undefined
}

/** One JSON file of the data, as the caller knows it; `undefined` when there is no data. */
export function corpusFile<T>(topic: string, file: string): T | undefined {
  const path = corpus(topic)
  return path === undefined ? undefined : (JSON.parse(readFileSync(join(path, file), 'utf8')) as T)
}
