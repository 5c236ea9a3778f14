export * from './options.ts'
export type { Plot, Series } from './plot.ts'
export * from './report.ts'
export * from './samples.ts'
