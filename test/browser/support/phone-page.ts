import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'puppeteer-core'

/** Where pictures of the page are left to be looked at; not part of the repository. */
const PICTURES = fileURLToPath(new URL('../../../bench-out/page/', import.meta.url))

const STEP_MS = 10_000

/** The gateway's own page in a tab, driven as a person would. */
export interface PhonePage {
  readonly page: Page
  readonly click: (selector: string) => Promise<void>
  /** Waits until the text of an element matches. */
  readonly shows: (selector: string, pattern: RegExp) => Promise<void>
  /** Waits until no such element is there. */
  readonly lacks: (selector: string) => Promise<void>
  readonly press: (...keys: readonly string[]) => Promise<void>
  readonly picture: (name: string) => Promise<void>
  readonly close: () => Promise<void>
}

export async function openPhonePage(browser: Browser, url: string): Promise<PhonePage> {
  // A context of its own is a window of its own: a tab behind another would not draw, and could not be clicked.
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  await page.setViewport({ width: 1280, height: 860 })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  // A refused inline script or style is only told on the console.
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text())
  })
  await page.goto(url)
  return {
    page,
    click: async (selector) => {
      const element = await page.waitForSelector(`${selector}:not(:disabled)`, { timeout: STEP_MS })
      await element?.click()
    },
    shows: async (selector, pattern) => {
      // As text: a function would be compiled with helpers that the page does not have.
      const test = `[...document.querySelectorAll(${JSON.stringify(selector)})].some((element) => ${pattern}.test(element.textContent))`
      await page.waitForFunction(test, { timeout: STEP_MS, polling: 50 }).catch(async () => {
        const read = `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => element.textContent)`
        assert.fail(`${selector} does not show ${pattern} but ${JSON.stringify(await page.evaluate(read))}`)
      })
    },
    lacks: async (selector) => {
      await page.waitForFunction(`document.querySelector(${JSON.stringify(selector)}) === null`, { timeout: STEP_MS })
    },
    press: async (...keys) => {
      for (const key of keys) await page.keyboard.press(key as Parameters<Page['keyboard']['press']>[0])
    },
    picture: async (name) => {
      mkdirSync(PICTURES, { recursive: true })
      await page.screenshot({ path: `${PICTURES}${name}.png` })
    },
    close: async () => {
      await context.close()
      assert.deepEqual(problems, [], 'errors on the page')
    },
  }
}

/** Signs in with one click and waits until registered. */
export async function signIn(phone: PhonePage, user: string): Promise<void> {
  await phone.click(`#sign-in-${user}`)
  await phone.shows('#state', new RegExp(`^Ready: ${user}@`))
}

/** Waits until a level meter shows sound, or none. */
export async function meterShows(phone: PhonePage, id: string, sound: 'sound' | 'silence'): Promise<void> {
  const test = `Number(document.getElementById(${JSON.stringify(id)})?.dataset.level) ${sound === 'sound' ? '> 20' : '< 5'}`
  await phone.page.waitForFunction(test, { timeout: STEP_MS, polling: 50 })
}
