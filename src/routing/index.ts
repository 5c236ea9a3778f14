export { dialled } from './dialled.ts'
export type * from './model.ts'
export { type Contact, type RouteInput, route } from './route.ts'
