import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeFrame, FrameReader } from './frame.ts'
import type { Keeper } from './keeper.ts'
import type { Answer, Command, Message, Op } from './protocol.ts'

/** What the double does with a command: answers, refuses, or says nothing. */
export type Behaviour = (op: Op) => Answer | { readonly code: string; readonly message: string } | undefined

/** A folder for sockets, gone after the test. */
export function socketFolder(test: { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'tl-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Stands for keeper and relay: listens at a control path and does as the test wants. */
export class RelayDouble {
  /** Commands of all connections, in order; hello left out. */
  readonly heard: Command[] = []
  /** Id of the process that it claims to be. */
  relayPid = 1_000
  protocol = 1
  behaviour: Behaviour
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()
  #waiting: { readonly wants: (op: Op) => boolean; readonly take: (command: Command) => void }[] = []
  #ended: (() => void) | undefined

  constructor(behaviour: Behaviour = () => ({ kind: 'done' })) {
    this.behaviour = behaviour
  }

  /** Begins to listen, as a keeper that was started. */
  async launch(path: string): Promise<Keeper> {
    const server = createServer((socket) => this.#serve(socket))
    this.#server = server
    await new Promise<void>((done) => void server.listen(path, done))
    const ended = new Promise<void>((done) => {
      this.#ended = done
    })
    return { ended, kill: () => void this.die() }
  }

  /** The relay is gone, the keeper goes on: connections end, the next one meets another relay. */
  replaceRelay(): void {
    this.relayPid++
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Both are gone. */
  async die(): Promise<void> {
    const closed = new Promise<void>((done) => void this.#server?.close(() => done()))
    this.replaceRelay()
    await closed
    this.#ended?.()
  }

  /** The next command, past or future, that fits. */
  async hears(wants: (op: Op) => boolean): Promise<Command> {
    const known = this.heard.find(wants)
    if (known !== undefined) return known
    return new Promise((take) => this.#waiting.push({ wants, take }))
  }

  tell(message: Message): void {
    for (const socket of this.#sockets) socket.write(encodeFrame(message) ?? '')
  }

  raw(bytes: Buffer): void {
    for (const socket of this.#sockets) socket.write(bytes)
  }

  #serve(socket: Socket): void {
    const reader = new FrameReader()
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) {
        if (frame.kind === 'value') this.#obey(socket, frame.value as Command)
      }
    })
  }

  #obey(socket: Socket, command: Command): void {
    const { id, ...op } = command
    const answer = op.op === 'hello' ? this.#hello() : this.behaviour(op)
    if (op.op !== 'hello') this.#hear(command)
    if (op.op === 'stop') setImmediate(() => void this.die())
    if (answer === undefined) return
    socket.write(encodeFrame('code' in answer ? { id, fault: answer } : { id, ok: answer }) ?? '')
  }

  #hello(): Answer {
    const { protocol, relayPid } = this
    return { kind: 'hello', protocol, version: '0.1.0', relayPid, keeperPid: 999, threads: 2, io: 'batch (test)' }
  }

  #hear(command: Command): void {
    this.heard.push(command)
    this.#waiting = this.#waiting.filter(({ wants, take }) => {
      if (!wants(command)) return true
      take(command)
      return false
    })
  }
}
