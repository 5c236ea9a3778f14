export { dialled } from './dialled.ts'
export type * from './model.ts'
export { type RedirectInput, redirected } from './redirect.ts'
export { type Called, type Contact, calledUser, type RouteInput, route } from './route.ts'
