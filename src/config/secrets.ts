import type { FileFinder, SecretResolver } from './schema.ts'

/** What the text may point at outside of itself. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Content of a file; throws an Error if it cannot be read. Relative paths are the caller's to resolve. */
  readonly readFile: (path: string) => string
  /** The path that a relative one stands for. Default: itself. */
  readonly locate?: (path: string) => string
  /** A new password for a demo account. */
  readonly newPassword: () => string
}

/** `env:NAME` is that variable, `file:PATH` that file without its last line end; anything else is itself. */
export function secretResolver(surroundings: Surroundings): SecretResolver {
  return (text) => {
    if (text.startsWith('env:')) return fromEnvironment(text.slice('env:'.length), surroundings)
    if (text.startsWith('file:')) return fromFile(text.slice('file:'.length), surroundings)
    return { value: text }
  }
}

function fromEnvironment(name: string, { env }: Surroundings): ReturnType<SecretResolver> {
  const value = env[name]
  return value === undefined || value === ''
    ? { problem: `the environment variable ${name} to be set and not empty` }
    : { value }
}

function fromFile(path: string, { readFile }: Surroundings): ReturnType<SecretResolver> {
  try {
    const value = readFile(path).replace(/\r?\n$/, '')
    return value === '' ? { problem: `the file ${path} not to be empty` } : { value }
  } catch (thrown) {
    return { problem: `a readable file at ${path} (${thrown instanceof Error ? thrown.message : String(thrown)})` }
  }
}

/** Files that are opened later have to be there now. */
export function fileFinder({ readFile, locate }: Surroundings): FileFinder {
  return (path) => {
    try {
      readFile(path)
      return { path: locate?.(path) ?? path }
    } catch (thrown) {
      return { problem: `a readable file (${thrown instanceof Error ? thrown.message : String(thrown)})` }
    }
  }
}
