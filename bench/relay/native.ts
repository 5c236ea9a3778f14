import type { Engine } from './model.ts'

export const native: Engine = {
  key: 'native',
  modes: [],
  missing: async () => 'not there yet',
  start: () => Promise.reject(new Error('not there yet')),
}
