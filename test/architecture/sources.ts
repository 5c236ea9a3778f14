import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Paths from the root, tracked or new, without what git ignores. Without git (an unpacked archive): what lies there. */
export function filesOfProject(): readonly string[] {
  return (existsSync(join(ROOT, '.git')) ? listedByGit() : lyingThere()).filter((path) => existsSync(join(ROOT, path)))
}

function listedByGit(): readonly string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return output.split('\n').filter((path) => path !== '')
}

function lyingThere(): readonly string[] {
  const ignored = new Set(['node_modules', 'dist', 'data', '.cache', 'coverage', 'bench-out'])
  const top = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => !ignored.has(entry.name))
  return top.flatMap((entry) => (entry.isDirectory() ? filesUnder(entry.name) : [entry.name]))
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
}

export function sources(under: string): readonly string[] {
  return filesOfProject().filter((path) => path.startsWith(`${under}/`) && /\.tsx?$/.test(path))
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path)
}

/** The code without comments, so that prose does not count. */
export function code(path: string): string {
  return read(path)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[\s;])\/\/.*$/gm, '$1')
}

/** What a file imports: relative ones as a path under `src`, others as written. */
export function importsOf(path: string): readonly string[] {
  const specifiers = [...code(path).matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)'([.@\w][^'\s|,]*)'/g)]
  return specifiers.map(([, specifier = '']) =>
    specifier.startsWith('.') ? relative('src', normalize(join(dirname(path), specifier))) : specifier,
  )
}

/** The unit of the import table that a path under `src` belongs to. */
export function unitOf(pathInSrc: string): string {
  if (pathInSrc.startsWith('media/engines/')) return 'media/engines'
  return pathInSrc.split('/')[0] ?? pathInSrc
}
