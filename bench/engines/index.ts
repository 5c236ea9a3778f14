import type { Engine } from '../load/index.ts'
import { native } from './native.ts'
import { portable } from './portable.ts'
import { rtpengine } from './rtpengine/index.ts'

/** By the name on the command line. */
export const ENGINES: Readonly<Record<string, Engine>> = { native, rtpengine, portable }
