// Run inside the namespace: passes TCP connections on from HOST:PORT to 127.0.0.1:TARGET.
// Firefox listens for its driver on loopback only, which is not reachable from outside of the namespace.
import { connect, createServer } from 'node:net'

const [host, port, target] = process.argv.slice(2)
const server = createServer((near) => {
  const far = connect(Number(target), '127.0.0.1')
  for (const socket of [near, far]) {
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
  }
  near.pipe(far).pipe(near)
})
server.listen(Number(port), host, () => console.log('relay is ready'))
