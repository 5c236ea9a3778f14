import { filesOfProject, read } from './sources.ts'

/** Titles of tests and of groups of tests, by file. What a title computes (`${…}`) stands as `…`. */
export function testTitles(): ReadonlyMap<string, ReadonlySet<string>> {
  const files = filesOfProject().filter((path) => /\.test\.tsx?$|^test\/.*\.ts$|^native\/.*\.rs$/.test(path))
  return new Map(files.map((path) => [path, new Set(path.endsWith('.rs') ? titlesOfRust(path) : titlesOfNode(path))]))
}

function titlesOfRust(path: string): readonly string[] {
  return [...read(path).matchAll(/#\[test\]\s+(?:#\[[^\]]*\]\s+)*(?:async )?fn (\w+)/g)].map(([, name = '']) => name)
}

function titlesOfNode(path: string): readonly string[] {
  const text = read(path)
  return [...text.matchAll(/\b(?:test|describe|flow)\(\s*(?=['"`])/g)].map(({ index, 0: { length } }) =>
    stringAt(text, index + length),
  )
}

/** The string that begins at `start` of a source, without its quotes. */
function stringAt(text: string, start: number): string {
  const quote = text[start]
  let title = ''
  for (let at = start + 1; at < text.length && text[at] !== quote; at++) {
    if (quote === '`' && text.startsWith('${', at)) {
      at = endOfExpression(text, at + 2)
      title += '…'
    } else title += text[at] === '\\' ? text[++at] : text[at]
  }
  return title
}

/** Where the brace closes that was opened before `start`. */
function endOfExpression(text: string, start: number): number {
  let open = 1
  let at = start
  for (; at < text.length; at++) {
    if (text[at] === '{') open++
    if (text[at] === '}' && --open === 0) break
  }
  return at
}
