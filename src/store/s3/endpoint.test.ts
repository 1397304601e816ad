import { describe, expect, it } from 'vitest'
import { s3BaseUrl } from './endpoint.ts'

describe('where S3 keys are appended', () => {
  it.each([
    // [bucket, region, endpoint_url, virtual_hosted_style, base]
    ['air', 'us-east-1', undefined, undefined, 'https://air.s3.us-east-1.amazonaws.com/'],
    ['air', 'us-east-1', undefined, true, 'https://air.s3.us-east-1.amazonaws.com/'],
    ['air', 'us-east-1', undefined, false, 'https://s3.us-east-1.amazonaws.com/air'],
    ['my.air', 'eu-west-3', undefined, undefined, 'https://s3.eu-west-3.amazonaws.com/my.air'],
    ['air', 'cn-north-1', undefined, undefined, 'https://air.s3.cn-north-1.amazonaws.com.cn/'],
    ['air', 'x', 'http://minio:9000', undefined, 'http://minio:9000/air'],
    ['air', 'x', 'http://minio:9000/', undefined, 'http://minio:9000/air'],
    ['air', 'x', 'http://minio:9000/s3api/', false, 'http://minio:9000/s3api/air'],
    ['air', 'x', 'http://air.minio:9000', undefined, 'http://air.minio:9000/'],
    ['air', 'x', 'http://airport.minio:9000', undefined, 'http://airport.minio:9000/air'],
    ['air', 'x', 'http://air.minio:9000', false, 'http://air.minio:9000/air'],
    ['air', 'x', 'http://cdn.example', true, 'http://cdn.example/'],
  ] as const)('%s %s %s %s', (bucket, region, endpointUrl, virtualHostedStyle, base) => {
    expect(s3BaseUrl({ bucket, region, endpointUrl, virtualHostedStyle }).href).toBe(base)
  })
})
