import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { read, sources } from './sources.ts'
import { testTitles } from './test-titles.ts'

const STATES: readonly string[] = ['done', 'partly', 'not', 'cited']

interface Row {
  readonly rfc: string
  readonly what: string
  readonly state: string
  readonly evidence: string
  /** As the document has it, for messages. */
  readonly line: string
}

const rows = readTable(read('docs/rfc.md'))
const titles = testTitles()

describe('docs/rfc.md', () => {
  test('every row has an RFC, a subject and a state', () => {
    const odd = rows.filter(({ rfc, what, state }) => !/^\d+$/.test(rfc) || what === '' || !STATES.includes(state))
    assert.deepEqual(
      odd.map(({ line }) => line),
      [],
    )
    assert.ok(rows.length > 100)
  })

  test('what is said to be done names a test', () => {
    const unproved = rows.filter(({ state, evidence }) => state === 'done' && namedTests(evidence).length === 0)
    assert.deepEqual(
      unproved.map(({ line }) => line),
      [],
    )
  })

  test('what is done in part says what is missing', () => {
    const silent = rows.filter(({ state, evidence }) => state === 'partly' && /^(`[^`]*`|<br>|\s)*$/.test(evidence))
    assert.deepEqual(
      silent.map(({ line }) => line),
      [],
    )
  })

  test('every test it names exists', () => {
    const named = rows.flatMap(({ evidence }) => namedTests(evidence))
    const unknown = named.filter(({ file, title }) => titles.get(file)?.has(title) !== true)
    assert.deepEqual(
      unknown.map(({ file, title }) => `${file}: ${title}`),
      [],
    )
  })

  test('every RFC that a source mentions has a row', () => {
    const known = new Set(rows.map(({ rfc }) => rfc))
    const unknown = sources('src').flatMap((path) =>
      [...read(path).matchAll(/\bRFC (\d+)/g)].flatMap(([, rfc = '']) =>
        known.has(rfc) ? [] : [`${path}: RFC ${rfc}`],
      ),
    )
    assert.deepEqual(unknown, [])
  })
})

/** The rows of all tables with five columns. */
function readTable(document: string): readonly Row[] {
  return document
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| RFC |') && !line.startsWith('| --- |'))
    .map((line) => {
      const [, rfc = '', , what = '', state = '', evidence = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
      return { rfc, what, state, evidence, line }
    })
}

/** `FILE: TITLE` in backquotes. */
function namedTests(evidence: string): readonly { readonly file: string; readonly title: string }[] {
  return [...evidence.matchAll(/`([\w./-]+\.(?:ts|tsx|rs)): ([^`]+)`/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }))
}
