import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { benchArguments, finish, type Report, Samples } from './index.ts'

const command = {
  name: 'sample',
  summary: 'A sample.',
  options: { calls: { type: 'string', default: '5', help: 'Calls.' } },
} as const

const report: Report = {
  name: 'sample',
  title: 'A <sample>',
  about: 'Nothing.',
  parameters: { calls: 5 },
  figures: { added: { p99Ms: 3 } },
  tables: [{ title: 'Numbers', columns: ['what', 'ms'], rows: [['<script>', 3]] }],
  plots: [
    {
      title: 'Curve',
      xLabel: 'ms',
      yLabel: 'share',
      xScale: 'log',
      series: [
        {
          name: 'a',
          points: [
            [0.1, 0],
            [10, 1],
          ],
        },
      ],
    },
  ],
}

test('law: a percentile is one of the values and at least that share of values is not above it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, fraction) => {
        const samples = new Samples()
        for (const value of values) samples.add(value)
        const found = samples.percentile(fraction)
        assert.ok(values.includes(found))
        assert.ok(values.filter((value) => value <= found).length >= Math.floor(fraction * values.length))
      },
    ),
  )
})

test('a requirement that holds gives exit status 0, one that is missed or names no figure gives 1', async () => {
  assert.equal(await finish(report, benchArguments(command, ['--require', 'added.p99Ms<=3'])), 0)
  assert.equal(await finish(report, benchArguments(command, ['--require', 'added.p99Ms<=2.9'])), 1)
  assert.equal(await finish(report, benchArguments(command, ['--require', 'added.p98Ms<=3'])), 1)
})

test('the page shows the figures, quotes hostile text and asks nothing of any other host', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-report-'))
  const html = join(folder, 'page.html')
  const json = join(folder, 'figures.json')
  await finish(report, benchArguments(command, ['--html', html, '--json', json]))
  const page = await readFile(html, 'utf8')
  assert.ok(!page.includes('<script>'))
  assert.ok(!/(src|href)=/.test(page))
  assert.equal((JSON.parse(await readFile(json, 'utf8')) as { figures: unknown }).figures !== undefined, true)
  await rm(folder, { recursive: true })
})
