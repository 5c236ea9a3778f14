export { Distribution } from './distribution.ts'
export {
  type EndPlan,
  Generator,
  type LoadGroup,
  type LoadPlan,
  type LoadResult,
  type LoadSummary,
  newRun,
} from './generator.ts'
export { isolateBench } from './isolate.ts'
export * from './model.ts'
export { type Network, openNetwork } from './network.ts'
export { directEnds, endOf, endsOf, PACKETS_PER_CALL, type PhonePorts, wishes } from './plan.ts'
export { familyOf, memoryOf } from './processes.ts'
export { cargoBuild, loadProgram } from './programs.ts'
export { untilQuiet } from './quiet.ts'
