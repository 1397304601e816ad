import { CnosError } from '../errors/cnos-error.ts'

/** `label/path` as people write it: `s3://bucket/air/x.csv`, `file:///tmp/x.csv`. */
export function objectUrl(label: string, path: string): string {
  return label === 'file://' ? `file:///${path}` : path === '' ? label : `${label}/${path}`
}

/** BAD_OPTION with the text of CnosDB when a URL names no bucket. */
export function requireBucket(bucket: string): string {
  if (bucket !== '') return bucket
  throw new CnosError('BAD_OPTION', 'Semantic error: Lost bucket in url', {
    hint: 'write scheme://bucket/path, such as s3://backups/air/',
  })
}
