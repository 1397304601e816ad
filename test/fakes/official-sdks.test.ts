import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Storage } from '@google-cloud/storage'
import { JWT } from 'google-auth-library'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.ts'
import { type GcsAccount, type GcsServer, makeGcsAccount, startGcsServer } from './gcs-server.ts'
import { S3_ACCOUNT, type S3Server, startS3Server } from './s3-server.ts'

/** The test servers against clients nobody here wrote: what these accept and refuse, the clouds do. */

describe('the S3 server and the AWS SDK with its defaults', () => {
  let server: S3Server
  const clients: S3Client[] = []
  const client = (
    changes: { region?: string; secretAccessKey?: string; accessKeyId?: string; sessionToken?: string } = {},
  ) => {
    const { region = 'us-east-1', ...keys } = changes
    const made = new S3Client({
      region,
      endpoint: server.url,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { ...S3_ACCOUNT, ...keys },
    })
    clients.push(made)
    return made
  }

  beforeAll(async () => {
    server = await startS3Server({ pageSize: 7 })
    server.createBucket('bucket')
  })
  afterAll(async () => {
    for (const made of clients) made.destroy()
    await server.close()
  })

  it('puts, heads, gets, ranges, lists by pages and deletes', async () => {
    const s3 = client()
    const Bucket = 'bucket'
    for (let i = 0; i < 20; i += 1) {
      await s3.send(new PutObjectCommand({ Bucket, Key: `many/${i} +%ü.csv`, Body: `content ${i}` }))
    }
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'many/3 +%ü.csv' }))
    expect(head).toMatchObject({ ContentLength: 9, ETag: `"${createHash('md5').update('content 3').digest('hex')}"` })
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'many/3 +%ü.csv', Range: 'bytes=8-' }))
    expect(await got.Body?.transformToString()).toBe('3')
    expect(got.ContentRange).toBe('bytes 8-8/9')
    const keys: string[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'many/', ContinuationToken }))
      keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    expect(keys).toHaveLength(20)
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'many/3 +%ü.csv' }))
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'many/3 +%ü.csv' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    })
  })

  it('takes a streamed multi-part upload of lib-storage, with its trailing checksums', async () => {
    const bytes = randomBytes(12 * 1024 * 1024)
    const Body = Readable.from([bytes.subarray(0, 7_000_000), bytes.subarray(7_000_000)])
    await new Upload({ client: client(), params: { Bucket: 'bucket', Key: 'streamed', Body } }).done()
    expect(server.buckets.get('bucket')?.objects.get('streamed')?.bytes.equals(bytes)).toBe(true)
    expect(server.buckets.get('bucket')?.uploads.size).toBe(0)
  })

  it.each([
    [{ secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch'],
    [{ accessKeyId: 'UNKNOWN' }, 'InvalidAccessKeyId'],
    [{ region: 'eu-west-3' }, 'AuthorizationHeaderMalformed'],
    [{ sessionToken: 'unexpected' }, 'InvalidToken'],
  ])('refuses %o', async (changes, code) => {
    const put = client(changes).send(new PutObjectCommand({ Bucket: 'bucket', Key: 'refused', Body: 'x' }))
    await expect(put).rejects.toMatchObject({ name: code })
    expect(server.buckets.get('bucket')?.objects.has('refused')).toBe(false)
  })

  it('refuses a body that is not the one that was signed, and bytes under a wrong Content-MD5', async () => {
    const bad = new PutObjectCommand({
      Bucket: 'bucket',
      Key: 'bad',
      Body: 'x',
      ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==',
    })
    await expect(client().send(bad)).rejects.toMatchObject({ name: 'BadDigest' })
    const tampering = client()
    tampering.middlewareStack.add(
      (next) => (args) => {
        Object.assign(args.request as object, { body: 'y' })
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' },
    )
    const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'tampered', Body: 'x' })
    await expect(tampering.send(put)).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' })
  })

  it('refuses a clock that is 20 minutes off', async () => {
    await using late = await startS3Server({ clockAheadMs: 20 * 60 * 1000 })
    late.createBucket('bucket')
    const made = new S3Client({
      region: 'us-east-1',
      endpoint: late.url,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: S3_ACCOUNT,
    })
    clients.push(made)
    const put = made.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'late', Body: 'x' }))
    await expect(put).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' })
  })
})

describe('the GCS server and the libraries of Google', () => {
  let server: GcsServer
  let account: GcsAccount

  beforeAll(async () => {
    account = makeGcsAccount()
    server = await startGcsServer({ pageSize: 7, accounts: [account] })
    server.createBucket('bucket')
  })
  afterAll(() => server.close())

  /** google-auth-library signs; only the address is bent to the test server. */
  const signedToken = async (changes: { email?: string; key?: string } = {}) => {
    const jwt = new JWT({
      email: account.email,
      key: account.privateKey,
      scopes: 'https://www.googleapis.com/auth/devstorage.full_control',
      ...changes,
    })
    const transporter = jwt.transporter
    const request = transporter.request.bind(transporter)
    transporter.request = (options) => request({ ...options, url: `${server.url}/token`, retry: false })
    return (await jwt.authorize()).access_token ?? ''
  }

  it('gives a token for an assertion signed by google-auth-library, and only for a right one', async () => {
    expect(await signedToken()).toMatch(/^ya29\./)
    await expect(signedToken({ key: makeGcsAccount().privateKey })).rejects.toThrow(/Invalid JWT Signature/)
    await expect(signedToken({ email: 'stranger@example.com' })).rejects.toThrow(/account not found/)
  })

  it('serves @google-cloud/storage: simple and resumable uploads, checks, ranges, lists, deletes', async () => {
    // This library sends no token to an endpoint of one's own when it uploads.
    await using open = await startGcsServer({ pageSize: 7 })
    const objects = open.createBucket('bucket').objects
    const storage = new Storage({ apiEndpoint: open.url, projectId: 'test' })
    const bucket = storage.bucket('bucket')
    const bytes = randomBytes(3_000_000)
    await bucket.file('simple ü +%.bin').save(bytes, { resumable: false, validation: 'crc32c' })
    expect(objects.get('simple ü +%.bin')?.bytes.equals(bytes)).toBe(true)
    await bucket.file('resumable.bin').save(bytes, { resumable: true, chunkSize: 1024 * 1024, validation: 'md5' })
    expect(objects.get('resumable.bin')?.bytes.equals(bytes)).toBe(true)
    const [back] = await bucket.file('simple ü +%.bin').download({ validation: 'crc32c' })
    expect(back.equals(bytes)).toBe(true)
    const [part] = await bucket.file('simple ü +%.bin').download({ start: 10, end: 19 })
    expect(part.equals(bytes.subarray(10, 20))).toBe(true)
    for (let i = 0; i < 15; i += 1) await bucket.file(`many/${i}`).save('x', { resumable: false })
    const [files] = await bucket.getFiles({ prefix: 'many/' })
    expect(files).toHaveLength(15)
    await bucket.file('many/3').delete()
    await expect(bucket.file('many/3').getMetadata()).rejects.toMatchObject({ code: 404 })
  })

  it('refuses requests without, and with an expired, token', async () => {
    const url = `${server.url}/storage/v1/b/bucket/o`
    expect((await fetch(url)).status).toBe(401)
    const headers = { Authorization: `Bearer ${await signedToken()}` }
    expect((await fetch(url, { headers })).status).toBe(200)
    server.expireTokens()
    expect((await fetch(url, { headers })).status).toBe(401)
  })
})

describe('CRC32C', () => {
  it('agrees with the check value of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(Buffer.from('e3069283', 'hex').toString('base64'))
  })
})
