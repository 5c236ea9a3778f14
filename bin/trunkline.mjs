#!/usr/bin/env node
// Runs the built program; builds it first where the sources are newer.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const build = new URL('../scripts/build.mjs', import.meta.url)
if (existsSync(fileURLToPath(build)) && existsSync(fileURLToPath(new URL('../src', import.meta.url)))) {
  const log = console.log
  console.log = console.error // Standard output belongs to the command.
  await import(build.href)
  console.log = log
}
await import('../dist/main.js')
