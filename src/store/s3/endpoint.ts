import { CnosError } from '../../errors/cnos-error.ts'

export interface S3Address {
  readonly bucket: string
  readonly region: string
  readonly endpointUrl: string | undefined
  readonly virtualHostedStyle: boolean | undefined
}

/**
 * The URL that object keys are appended to. AWS: the bucket in the host unless told otherwise or its name has a dot
 * (no certificate covers that). An endpoint of one's own: the path, unless its host starts with the bucket; a written
 * virtual_hosted_style is obeyed literally, and true takes the endpoint as it stands.
 */
export function s3BaseUrl({ bucket, region, endpointUrl, virtualHostedStyle }: S3Address): URL {
  if (endpointUrl === undefined) {
    const isVirtual = virtualHostedStyle ?? !bucket.includes('.')
    const host = `s3.${region}.${domainOf(region)}`
    return new URL(isVirtual ? `https://${bucket}.${host}` : `https://${host}/${bucket}`)
  }
  const endpoint = parseEndpoint(endpointUrl)
  const isVirtual = virtualHostedStyle ?? endpoint.hostname.startsWith(`${bucket.toLowerCase()}.`)
  if (!isVirtual) endpoint.pathname = `${endpoint.pathname.replace(/\/+$/, '')}/${bucket}`
  return endpoint
}

/** The partitions of AWS: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
function domainOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn'
  return 'amazonaws.com'
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (!url || !isHttp || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new CnosError('BAD_OPTION', 'Semantic error: endpoint_url is not the address of a store', {
      hint: "write it as endpoint_url = 'http://host:9000' or 'https://host', without user, query or fragment",
    })
  }
  return url
}
