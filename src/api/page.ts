import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import type { PageInfo } from './model.ts'
import { isFromOwnNetwork } from './own-network.ts'

/** The built page at `/`, and what it has to know before anybody signed in. */
export async function pageRoutes(
  app: FastifyInstance,
  { webRoot, page }: { readonly webRoot: string; readonly page: PageInfo },
): Promise<void> {
  const { demo: _passwords, ...forOthers } = page
  app.get('/page.json', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return isFromOwnNetwork(request) ? page : forOthers
  })
  if (!existsSync(join(webRoot, 'index.html'))) {
    app.get('/', async (_request, reply) => {
      await reply.code(503).type('text/plain').send('The page is not built. Run: npm run build\n')
    })
    return
  }
  await app.register(fastifyStatic, {
    root: webRoot,
    cacheControl: false,
    setHeaders(reply, path) {
      // Vite puts a content hash in the names under assets/; everything else may change with the next build.
      const lasting = path.includes(`${join(webRoot, 'assets')}`)
      reply.setHeader('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
