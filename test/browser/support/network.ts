import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/**
 * A network of the test's own: gateway, phones and carriers on this side, browsers in a namespace at the other end.
 * Needed because Firefox uses no ICE candidate on 127.0.0.1.
 */
export interface TestNetwork {
  /** Where browsers run; give it to `ip netns exec`. */
  readonly netns: string
  readonly gatewayAddress: string
  /** A trunk is known by its address, so each carrier has its own. */
  readonly carrierAddress: string
  readonly otherCarrierAddress: string
  readonly browserAddress: string
  readonly remove: () => void
}

/** Why there can be no such network here, or `undefined` if there can. */
export function networkMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'browser tests need root, to make a network namespace'
  const name = `tlprobe${process.pid}`
  try {
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return undefined
  } catch (error) {
    return `no network namespace can be made here: ${error instanceof Error ? error.message.split('\n')[0] : error}`
  }
}

/** Makes the network. `remove` takes it away again; nothing outside it changes. */
export function createTestNetwork(): TestNetwork {
  const tag = `${process.pid}`
  const netns = `tlbrowser${tag}`
  const [near, far] = [`tln${tag}`, `tlf${tag}`]
  const subnet = `10.213.${process.pid % 250}`
  removeStale()
  ip('netns', 'add', netns)
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', netns)
    for (const host of [1, 3, 4]) ip('addr', 'add', `${subnet}.${host}/24`, 'dev', near)
    ip('link', 'set', near, 'up')
    ip('-n', netns, 'addr', 'add', `${subnet}.2/24`, 'dev', far)
    ip('-n', netns, 'link', 'set', far, 'up')
    ip('-n', netns, 'link', 'set', 'lo', 'up')
    // Browsers take the address of the default route for their own.
    ip('-n', netns, 'route', 'add', 'default', 'via', `${subnet}.1`)
  } catch (error) {
    ip('netns', 'del', netns)
    throw error
  }
  const remove = once(() => ip('netns', 'del', netns)) // The link goes with it.
  process.once('exit', remove) // A test that dies leaves nothing behind.
  return {
    netns,
    gatewayAddress: `${subnet}.1`,
    browserAddress: `${subnet}.2`,
    carrierAddress: `${subnet}.3`,
    otherCarrierAddress: `${subnet}.4`,
    remove,
  }
}

/** Takes away the namespaces of tests that were killed. */
function removeStale(): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).matchAll(/^tlbrowser(\d+)/gm)
  for (const [name, pid] of names) if (!existsSync(`/proc/${pid}`)) ip('netns', 'del', name)
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 })
}
