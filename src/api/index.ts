export type { GatewayControl } from './control.ts'
export type * from './model.ts'
export { type ApiOptions, type ApiServer, createApiServer } from './server.ts'
