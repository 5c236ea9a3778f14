import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer, { type Browser } from 'puppeteer-core'
import { startChild } from '../../interop/support/child.ts'
import type { TestNetwork } from './network.ts'
import { startSoundServer } from './pulse.ts'

export type BrowserName = 'chromium' | 'firefox'

export interface RunningBrowser {
  readonly name: BrowserName
  readonly browser: Browser
  readonly stop: () => Promise<void>
}

/** Starts a real browser in the namespace. `origin` is treated as secure, as localhost would be. */
export function startBrowser(name: BrowserName, network: TestNetwork, origin: string): Promise<RunningBrowser> {
  return name === 'chromium' ? startChromium(network, origin) : startFirefox(network)
}

async function startChromium(network: TestNetwork, origin: string): Promise<RunningBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'trunkline-chromium-'))
  const browser = await puppeteer.launch({
    executablePath: inPath('ip'),
    // All arguments are ours: the first ones belong to `ip`.
    ignoreDefaultArgs: true,
    pipe: true,
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
    args: ['netns', 'exec', network.netns, '/usr/bin/chromium', ...chromiumArguments(profile, origin)],
  })
  const stop = async (): Promise<void> => {
    await browser.close()
    await rm(profile, { recursive: true, force: true })
  }
  return { name: 'chromium', browser, stop }
}

/** Puppeteer wants to see the file. */
function inPath(program: string): string {
  const found = (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, program))
    .find(existsSync)
  if (found === undefined) throw new Error(`${program} is not in PATH`)
  return found
}

function chromiumArguments(profile: string, origin: string): readonly string[] {
  return [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--disable-breakpad',
    '--mute-audio',
    // Several clients share the browser: those in the back must not sleep.
    '--disable-background-timer-throttling',
    '--disable-renderer-backgrounding',
    '--disable-backgrounding-occluded-windows',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--unsafely-treat-insecure-origin-as-secure=${origin}`,
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    'about:blank',
  ]
}

/** Inside the namespace nobody else listens, so the ports can stand fixed. */
const DRIVER_PORT = 9222
const RELAY_PORT = 9223

async function startFirefox(network: TestNetwork): Promise<RunningBrowser> {
  const sound = await startSoundServer()
  const profile = await mkdtemp(join(tmpdir(), 'trunkline-firefox-'))
  await writeFile(join(profile, 'user.js'), preferenceLines())
  const firefox = startChild(
    'firefox-esr',
    ['--headless', '--no-remote', '--profile', profile, `--remote-debugging-port=${DRIVER_PORT}`, 'about:blank'],
    {
      netns: network.netns,
      env: { HOME: profile, XDG_RUNTIME_DIR: profile, PULSE_SERVER: sound.address, MOZ_CRASHREPORTER_DISABLE: '1' },
    },
  )
  const relay = startChild(
    process.execPath,
    [
      fileURLToPath(new URL('./relay.mjs', import.meta.url)),
      network.browserAddress,
      String(RELAY_PORT),
      String(DRIVER_PORT),
    ],
    { netns: network.netns },
  )
  // A test that dies leaves nothing behind.
  process.once('exit', () => [firefox, relay, sound.child].map((child) => child.process.kill('SIGKILL')))
  await Promise.all([firefox.sees(/WebDriver BiDi listening/, 60_000), relay.sees(/relay is ready/)])
  const browser = await puppeteer.connect({
    browserWSEndpoint: `ws://${network.browserAddress}:${RELAY_PORT}/session`,
    protocol: 'webDriverBiDi',
    headers: { Host: `127.0.0.1:${DRIVER_PORT}` }, // Firefox speaks to no other name.
    defaultViewport: null,
  })
  const stop = async (): Promise<void> => {
    await browser.close().catch(() => undefined) // The process is ended below in any case.
    await firefox.stop()
    await relay.stop()
    await sound.stop()
    await rm(profile, { recursive: true, force: true })
  }
  return { name: 'firefox', browser, stop }
}

const PREFERENCES: Readonly<Record<string, string | number | boolean>> = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.devices.insecure.enabled': true,
  'media.getusermedia.insecure.enabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.block-autoplay-until-in-foreground': false,
  // Tabs in the back must not sleep.
  'dom.min_background_timeout_value': 10,
  'dom.timeout.enable_budget_timer_throttling': false,
  // Nothing of the browser's own may go to the network.
  'app.update.disabledForTesting': true,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
}

function preferenceLines(): string {
  return Object.entries(PREFERENCES)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('')
}
