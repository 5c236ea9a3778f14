export type * from './model.ts'
export { openTransports, type Transports } from './transports.ts'
export { refuseUpgrade } from './websocket-handshake.ts'
