import { lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { GatewayError } from '../../../base/index.ts'
import type { NativeConfig } from './config.ts'

/**
 * Where the engine is controlled: as configured, else in a folder of this user alone, by the first WebRTC port. So a
 * gateway that comes back after a crash finds the engine it had.
 *
 * @throws GatewayError `CONFIG_INVALID`: too long, or the folder is not ours alone.
 */
export function controlPath({ control, webrtcPorts }: Pick<NativeConfig, 'control' | 'webrtcPorts'>): string {
  const folder = join(tmpdir(), `trunkline-${process.getuid?.() ?? 0}`)
  const path = control ?? join(folder, `media-${webrtcPorts.from}.sock`)
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES) {
    const why = `the control socket's path may have ${MAX_PATH_BYTES} bytes, ${path} has ${bytes}`
    throw new GatewayError('CONFIG_INVALID', `${why}; set media.control to a shorter one`)
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (control === undefined) refuseUnlessOurs(folder)
  return path
}

/** Says to other gateways that this one uses the engine at `path`. */
export interface Ownership {
  end(): Promise<void>
}

/**
 * Two gateways at one engine would end each other's calls. The one that is there listens beside the control socket, so
 * the system itself notices its death.
 *
 * @throws GatewayError `LISTEN_FAILED`: another gateway is there.
 */
export async function ownEngine(path: string): Promise<Ownership> {
  const beside = `${path}${OWNER_SUFFIX}`
  const server = createServer((socket) => socket.destroy()).unref()
  if (!(await listens(server, beside))) {
    if (await isServed(beside)) {
      throw new GatewayError('LISTEN_FAILED', `another gateway uses the media engine at ${path}`)
    }
    unlinkSync(beside) // Of a gateway that died.
    if (!(await listens(server, beside))) throw new GatewayError('LISTEN_FAILED', `cannot listen at ${beside}`)
  }
  return { end: () => new Promise((done) => void server.close(() => done())) }
}

/** Everybody may write to the folder for temporary files: somebody may have made ours before us. */
function refuseUnlessOurs(folder: string): void {
  const { uid, mode } = lstatSync(folder)
  if (uid === (process.getuid?.() ?? uid) && (mode & 0o077) === 0) return
  throw new GatewayError('CONFIG_INVALID', `${folder} is not this user's alone; remove it or set media.control`)
}

/** @returns `false`: the path is taken. */
function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE') done(false)
      else fail(new GatewayError('LISTEN_FAILED', `cannot listen at ${path}: ${error.message}`, { cause: error }))
    }
    server.once('error', onError)
    server.listen(path, () => {
      server.off('error', onError)
      done(true)
    })
  })
}

function isServed(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}

const OWNER_SUFFIX = '.gateway'
/** A unix socket has 107 bytes for its path (unix(7)); names beside it are up to 8 bytes longer. */
const MAX_PATH_BYTES = 99
