export { startKamailio } from './start.ts'
