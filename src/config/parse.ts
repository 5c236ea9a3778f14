import { type Document, isNode, LineCounter, parseDocument, type YAMLError } from 'yaml'
import type { z } from 'zod'
import { builtinTenant } from './demo.ts'
import type { Config, Mistake } from './model.ts'
import { nearest } from './nearest.ts'
import { pathText, valueAt, withoutNulls } from './raw.ts'
import { checkReferences } from './references.ts'
import { configSchema, keysAt, type RawConfig } from './schema.ts'
import { fileFinder, type Surroundings, secretResolver } from './secrets.ts'
import { tenantOf } from './tenant.ts'
import { listenOf, tlsOf, unverifiedTrunks } from './tls.ts'

export type ParsedConfig = { readonly config: Config } | { readonly mistakes: readonly Mistake[] }

/**
 * Reads the text of a `trunkline.yaml`. All of it is checked: either there is a whole, frozen configuration with
 * defaults filled in, or every mistake at once, in the order of the text.
 */
export function parseConfig(text: string, surroundings: Surroundings): ParsedConfig {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  if (document.errors.length > 0) return { mistakes: document.errors.map((error) => syntaxMistake(error, lines)) }
  const source = readDocument(document)
  if ('problem' in source) return { mistakes: [{ path: '', found: source.problem, expected: 'a plain YAML document' }] }
  const place = placeIn(document, lines)
  const checked = configSchema(secretResolver(surroundings), fileFinder(surroundings)).safeParse(source.value)
  const mistakes = [
    ...(checked.success ? [] : checked.error.issues.flatMap((issue) => shapeMistakes(issue, source.value, place))),
    ...checkReferences(source.value).map(({ path, ...rest }) => ({
      ...place(path),
      path: pathText(path),
      found: foundText(valueAt(source.value, path), path),
      ...rest,
    })),
  ]
  if (!checked.success || mistakes.length > 0) return { mistakes: mistakes.sort(byPlace) }
  return { config: freeze(fromRaw(checked.data, surroundings)) }
}

/** One line for a person: `12:9 tenants[0].domain: found 3, expected a domain such as example.test`. */
export function mistakeText(mistake: Mistake): string {
  const place = mistake.line === undefined ? '' : `${mistake.line}:${mistake.column ?? 1} `
  const path = mistake.path === '' ? '' : `${mistake.path}: `
  const hint = mistake.hint === undefined ? '' : ` (${mistake.hint})`
  return `${place}${path}found ${mistake.found}, expected ${mistake.expected}${hint}`
}

type Place = { readonly line?: number; readonly column?: number; readonly source?: string }
type PlaceOf = (path: readonly PropertyKey[]) => Place

function readDocument(document: Document): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: withoutNulls(document.toJS({ maxAliasCount: 100 }) ?? {}) }
  } catch (thrown) {
    return { problem: thrown instanceof Error ? thrown.message : String(thrown) } // Aliases that multiply without end.
  }
}

function syntaxMistake(error: YAMLError, lines: LineCounter): Mistake {
  const { line, col } = lines.linePos(error.pos[0])
  return { path: '', line, column: col, found: `text that is not YAML: ${error.message}`, expected: 'YAML' }
}

function shapeMistakes(issue: z.core.$ZodIssue, root: unknown, place: PlaceOf): readonly Mistake[] {
  if (issue.code === 'invalid_union') {
    const inner = innerIssues(issue, valueAt(root, issue.path))
    if (inner !== undefined) return inner.flatMap((each) => shapeMistakes(each, root, place))
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key], place))
  const { source, ...at } = place(issue.path)
  const value = valueAt(root, issue.path)
  const unquoted = typeof value === 'number' && issue.code === 'invalid_type' && /^[+\d]/.test(source ?? '')
  const hint = unquoted ? { hint: `put it in quotes: "${isSecret(issue.path) ? '…' : source}"` } : {}
  return [{ ...at, path: pathText(issue.path), found: foundText(value, issue.path), expected: issue.message, ...hint }]
}

/** Of a value that may be a text or a section: what is wrong with it as the one that it is. */
function innerIssues(issue: z.core.$ZodIssueInvalidUnion, value: unknown): readonly z.core.$ZodIssue[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const ofSection = issue.errors.at(-1)
  return ofSection?.map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
}

function unknownKey(path: readonly PropertyKey[], place: PlaceOf): Mistake {
  const known = keysAt(path.slice(0, -1))
  const { source: _, ...at } = place(path)
  const meant = nearest(String(path.at(-1)), known)
  return {
    ...at,
    path: pathText(path),
    found: 'an unknown key',
    expected: `one of: ${known.join(', ')}`,
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  }
}

/** Where the value stands in the text; for what is missing, the nearest section around it. */
function placeIn(document: Document, lines: LineCounter): PlaceOf {
  return (path) => {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true)
      const start = isNode(node) ? node.range?.[0] : undefined
      if (start === undefined) continue
      const { line, col } = lines.linePos(start)
      const source = isNode(node) && 'source' in node && typeof node.source === 'string' ? node.source : undefined
      return { line, column: col, ...(source === undefined ? {} : { source }) }
    }
    return {}
  }
}

function isSecret(path: readonly PropertyKey[]): boolean {
  return path.at(-1) === 'password' || path.at(-1) === 'token'
}

function foundText(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a section'
  if (isSecret(path) && !/^(?:env|file):/.test(String(value))) return `a ${typeof value} (not shown)`
  const text = JSON.stringify(value)
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}

function byPlace(a: Mistake, b: Mistake): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}

function fromRaw(raw: RawConfig, surroundings: Surroundings): Config {
  const { store, tenants, api, listen, tls, ...rest } = raw
  return {
    ...rest,
    listen: listenOf(listen),
    tls: tlsOf(tls),
    api: { origins: api.origins, ...(api.token === undefined ? {} : { token: api.token }) },
    tenants: tenants?.map(tenantOf) ?? [builtinTenant(surroundings.newPassword)],
    demo: tenants === undefined,
    notices: [
      ...(store === undefined
        ? []
        : ['store is kept for a later version: registrations and calls are forgotten when this one stops']),
      ...unverifiedTrunks(tenants ?? []),
      ...(tenants === undefined ? ['no tenants in the file: the demo tenant is used'] : []),
    ],
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const child of Object.values(value)) freeze(child)
  return value
}
