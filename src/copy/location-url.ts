import { isAbsolute, normalize, resolve, sep } from 'node:path'
import { CnosError } from '../errors/cnos-error.ts'

/** Where a COPY INTO path points. */
export type LocationUrl =
  | {
      readonly kind: 'file'
      /** Absolute and normalised; the directory before the first pattern when there is a `glob`. */
      readonly file: string
      /** The rest of a bare path, from the first segment with `*`, `?` or `[`. */
      readonly glob: string | undefined
      readonly isDirectory: boolean
    }
  | {
      readonly kind: 'store'
      readonly scheme: string
      readonly bucket: string
      /** Decoded, without empty segments, without a leading or trailing slash. */
      readonly path: string
      readonly isDirectory: boolean
    }

export interface ParseUrlOptions {
  /** What a relative path starts from. */
  readonly cwd: string
  /** Only a load takes patterns. */
  readonly takesGlob: boolean
}

/**
 * Parses `scheme://bucket/path`, `file:///path` or a bare path. URLs are percent-decoded, bare paths are not. Throws
 * BAD_OPTION with the texts of CnosDB.
 */
export function parseLocationUrl(text: string, options: ParseUrlOptions): LocationUrl {
  if (text === '' || text.includes('\0'))
    throw new CnosError('BAD_OPTION', 'Semantic error: the path is empty or holds NUL')
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? []
  if (scheme !== undefined && rest !== undefined) return parseUrl(text, scheme.toLowerCase(), rest)
  if (/^file:\//i.test(text)) return fileUrl(text, text.slice('file:'.length))
  return barePath(text, options)
}

function parseUrl(text: string, scheme: string, rest: string): LocationUrl {
  if (scheme === 'file') return fileUrl(text, rest)
  refuseQuery(text)
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  if (authority.includes('@')) {
    throw new CnosError('BAD_OPTION', `Semantic error: a ${scheme} url holds no user or password`, {
      hint: 'put credentials into CONNECTION = (…)',
    })
  }
  const bucket = authority.replace(/:\d*$/, '')
  if (bucket === '')
    throw new CnosError('BAD_OPTION', 'Semantic error: Lost bucket in url', { hint: `write ${scheme}://bucket/path` })
  const path = slash < 0 ? '' : decode(rest.slice(slash + 1))
  const segments = path.split('/').filter((segment) => segment !== '')
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new CnosError('BAD_OPTION', `Semantic error: an object's path holds no . or .. segment: ${shown(text)}`)
  }
  return {
    kind: 'store',
    scheme,
    bucket,
    path: segments.join('/'),
    isDirectory: path.endsWith('/') || segments.length === 0,
  }
}

function fileUrl(text: string, rest: string): LocationUrl {
  refuseQuery(text)
  const local = /^[A-Za-z]:[\\/]/.test(rest) ? `/${rest}` : rest
  const slash = local.indexOf('/')
  const host = slash < 0 ? local : local.slice(0, slash)
  if (host !== '' && host.toLowerCase() !== 'localhost') {
    throw new CnosError('PLANNING', `Datafusion: Internal error: No suitable object store found for ${shown(text)}`, {
      hint: `a file url has no host: write file:///${local.replace(/^[^/]*@/, '')}`,
    })
  }
  const path = decode(slash < 0 ? '/' : local.slice(slash))
  return localPath(sep === '\\' ? path.replace(/^\/(?=[A-Za-z]:)/, '') : path)
}

function refuseQuery(text: string): void {
  const mark = /[?#]/.exec(text)?.[0]
  if (mark === undefined) return
  throw new CnosError('BAD_OPTION', `Semantic error: a url of COPY INTO ends where ${mark} stands: ${shown(text)}`, {
    hint: `write %${mark.charCodeAt(0).toString(16).toUpperCase()} for ${mark} in a name; patterns work in paths without file:// only`,
  })
}

/** A url in a message: without the query, which may be a signature, and without what stands before a host. */
function shown(text: string): string {
  return text.replace(/[?#].*/s, (query) => `${query.charAt(0)}…`).replace(/^([^/]*:\/\/)[^/]*@/, '$1******@')
}

/** A `%` that begins no escape stands for itself. */
function decode(path: string): string {
  try {
    const decoded = decodeURIComponent(path.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'))
    if (!decoded.includes('\0')) return decoded
  } catch {
    throw new CnosError('BAD_OPTION', `Semantic error: the escapes in ${path} are no UTF-8`)
  }
  throw new CnosError('BAD_OPTION', 'Semantic error: the path is empty or holds NUL')
}

function barePath(text: string, { cwd, takesGlob }: ParseUrlOptions): LocationUrl {
  const absolute = isAbsolute(text) ? text : `${cwd}${sep}${text}`
  const segments = absolute.split(/[/\\]/.test(sep) && sep === '\\' ? /[/\\]/ : '/')
  const first = takesGlob ? segments.findIndex((segment) => /[*?[]/.test(segment)) : -1
  if (first < 0) return localPath(absolute)
  return {
    kind: 'file',
    file: resolve(segments.slice(0, first).join(sep) || sep),
    glob: segments.slice(first).join('/'),
    isDirectory: true,
  }
}

function localPath(path: string): LocationUrl {
  const isDirectory = path.endsWith('/') || (sep === '\\' && path.endsWith('\\'))
  return { kind: 'file', file: resolve(normalize(path)), glob: undefined, isDirectory }
}
