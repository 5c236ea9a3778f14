export { createFakeEngine, type FakeEngine, type FakeEngineOptions, type FakeSession } from './fake-engine.ts'
