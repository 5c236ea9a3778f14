import type { Engine } from '../load/index.ts'

export const native: Engine = {
  key: 'native',
  modes: [],
  missing: async () => 'not there yet',
  start: () => Promise.reject(new Error('not there yet')),
}
