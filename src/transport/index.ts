export { createResolver, type Resolver, type ResolverOptions } from './dns/resolver.ts'
export type * from './model.ts'
export { openTransports, type Transports } from './transports.ts'
export { refuseUpgrade } from './websocket-handshake.ts'
