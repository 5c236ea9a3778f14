export type { EngineCounters, MediaEngine, OpenOptions } from './engine.ts'
export type { MediaEvent, SilenceCause } from './events.ts'
export type * from './model.ts'
