import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EXCEPTIONS, FURTHER_DOORS, MAY_IMPORT, PURE, PURE_FILES } from './rules.ts'
import { code, importsOf, isTest, read, sources, unitOf } from './sources.ts'

const files = sources('src')

function excused(file: string, rule: string): boolean {
  return EXCEPTIONS.some((exception) => exception.file === file && exception.rule === rule)
}

describe('who may import whom', () => {
  test('every folder of src has a row in the table', () => {
    const units = new Set(files.filter((file) => !isTest(file)).map((file) => unitOf(file.slice('src/'.length))))
    assert.deepEqual(
      [...units].filter((unit) => MAY_IMPORT[unit] === undefined),
      [],
    )
  })

  test('the table has no cycles: a row names only rows above it', () => {
    const order = Object.keys(MAY_IMPORT)
    const upward = order.flatMap((unit, index) =>
      (MAY_IMPORT[unit] ?? [])
        .filter((target) => order.indexOf(target) >= index)
        .map((target) => `${unit} → ${target}`),
    )
    assert.deepEqual(
      upward.filter((edge) => edge !== 'main.ts → caller'),
      [],
    )
  })

  test('imports follow the table', () => {
    assert.deepEqual(files.flatMap(forbiddenImports), [])
  })

  test('a folder is entered by its door', () => {
    assert.deepEqual(files.filter((file) => !isTest(file)).flatMap(sideEntrances), [])
  })

  test('the page imports only types of the API', () => {
    const values = sources('src/web').filter((file) => /^import (?!type).*\.\.\/api\/model/m.test(code(file)))
    assert.deepEqual(values, [])
  })
})

test('the program imports only packages that are installed with it', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  const program = files.filter((file) => !isTest(file) && !file.startsWith('src/web/') && !file.endsWith('-support.ts'))
  const foreign = program.flatMap((file) =>
    importsOf(file)
      .filter((target) => !/\.tsx?$/.test(target) && !target.startsWith('node:'))
      .filter((target) => dependencies[packageOf(target)] === undefined)
      .map((target) => `${file}: ${target}`),
  )
  assert.deepEqual(foreign, [])
})

describe('pure folders', () => {
  const pure = files.filter((file) => {
    const inSrc = file.slice('src/'.length)
    return !isTest(file) && (PURE.includes(unitOf(inSrc)) || PURE_FILES.includes(inSrc))
  })

  test('they import nothing of Node', () => {
    const found = pure.flatMap((file) => importsOf(file).flatMap((i) => (i.startsWith('node:') ? `${file}: ${i}` : [])))
    assert.deepEqual(found, [])
  })

  const banned =
    /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bperformance\./

  test('they have no clock, no randomness, no timers, no process', () => {
    const found = pure
      .filter((file) => !excused(file, 'pure'))
      .flatMap((file) => {
        const hit = banned.exec(code(file))
        return hit === null ? [] : [`${file}: ${hit[0]}`]
      })
    assert.deepEqual(found, [])
  })
})

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function forbiddenImports(file: string): readonly string[] {
  const from = unitOf(file.slice('src/'.length))
  if (excused(file, 'imports') || isTest(file)) return []
  return importsOf(file).flatMap((target) => {
    if (!/\.tsx?$/.test(target)) return []
    const to = unitOf(target)
    return to === from || MAY_IMPORT[from]?.includes(to) ? [] : [`${file} → ${target}`]
  })
}

function sideEntrances(file: string): readonly string[] {
  const from = unitOf(file.slice('src/'.length))
  if (excused(file, 'imports')) return []
  return importsOf(file).flatMap((target) => {
    const foreign = /\.tsx?$/.test(target) && unitOf(target) !== from && target.includes('/')
    if (!foreign || FURTHER_DOORS[target] !== undefined) return []
    if (from === 'media/engines' && unitOf(target) === 'media') return [] // Engines live inside of media.
    return target === `${unitOf(target)}/index.ts` ? [] : [`${file} → ${target}`]
  })
}
