export type { GatewayControl } from './control.ts'
export type * from './model.ts'
