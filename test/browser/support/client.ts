import type { Browser, Page } from 'puppeteer-core'
import { bounded } from '../../interop/support/child.ts'
import type { Client } from '../client/model.ts'

/** A `Client` in a browser, asked from here: every method gives a promise. */
export type RemoteClient = {
  readonly [Method in keyof Client]: (
    ...args: Parameters<Client[Method]>
  ) => Promise<Awaited<ReturnType<Client[Method]>>>
} & { readonly page: Page }

const METHODS = [
  'register',
  'reset',
  'call',
  'answer',
  'reject',
  'cancel',
  'hangUp',
  'hold',
  'resume',
  'digit',
  'next',
  'hears',
  'hearsNothing',
  'codec',
  'close',
] as const satisfies readonly (keyof Client)[]

/** Bound of a method whose own bound failed: a browser that hangs. */
const ASK_MS = 30_000

/** Opens the client page in a tab of its own. */
export async function openClient(browser: Browser, url: string): Promise<RemoteClient> {
  const page = await browser.newPage()
  await page.goto(url)
  const ask = (method: string, args: readonly unknown[]): Promise<unknown> =>
    bounded(
      `the browser to finish ${method}`,
      ASK_MS,
      () => page.url(),
      (resolve, reject) => {
        // As text: a function would be compiled with helpers that the page does not have.
        page.evaluate(`window.client[${JSON.stringify(method)}](...${JSON.stringify(args)})`).then(resolve, reject)
        return undefined
      },
    )
  const methods = METHODS.map((method) => [method, (...args: readonly unknown[]) => ask(method, args)] as const)
  return { ...Object.fromEntries(methods), page } as unknown as RemoteClient
}
