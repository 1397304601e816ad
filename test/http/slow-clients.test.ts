import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { send, serve } from './served.ts'

/** Sends `pieces`, one every `everyMs`, until the server ends the connection; answers what it said and when. */
async function trickle(url: string, pieces: string, everyMs: number): Promise<{ text: string; seconds: number }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const start = performance.now()
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => {})
  let at = 0
  const timer = setInterval(() => {
    if (socket.writable) socket.write(pieces[at % pieces.length] ?? '')
    at += 1
  }, everyMs)
  await once(socket, 'close')
  clearInterval(timer)
  return { text, seconds: (performance.now() - start) / 1000 }
}

it('ends clients that never finish their headers, and serves others meanwhile', { timeout: 60_000 }, async () => {
  await using server = await serve()
  const slow = Array.from({ length: 50 }, () =>
    trickle(server.url, 'GET /api/v1/ping HTTP/1.1\r\nx-a: b\r\nx-c: ddd', 200),
  )
  expect((await send(`${server.url}/api/v1/ping`)).status).toBe(200)
  for (const { text, seconds } of await Promise.all(slow)) {
    expect(text).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    expect(seconds).toBeLessThan(40)
  }
  expect((await send(`${server.url}/api/v1/ping`)).status).toBe(200)
})
