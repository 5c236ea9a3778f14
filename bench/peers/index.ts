import { startKamailio } from './kamailio/index.ts'
import type { RunningGateway } from './model.ts'

export type { Account, RunningGateway, Subject } from './model.ts'
export { cpuOfProcesses } from './process-cpu.ts'
export { startTrunkline } from './trunkline.ts'

/** Other gateways a bench can start beside ours, by the name on the command line. */
export const PEERS: Readonly<Record<string, () => Promise<RunningGateway>>> = { kamailio: startKamailio }
