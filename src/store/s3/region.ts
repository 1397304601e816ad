import { CnosError } from '../../errors/cnos-error.ts'

/** Hyphens and dashes that word processors and CnosDB's own documentation put where `-` is meant. */
const DASHES = /[\u2010-\u2015\u2212\uFE58\uFE63\uFF0D]/g

/** A region as AWS writes it. Unicode dashes become `-`, with a warning; anything else odd is BAD_OPTION. */
export function normaliseRegion(written: string, warn: (message: string) => void): string {
  const region = written.replace(DASHES, '-').trim()
  if (!/^[a-z0-9-]+$/.test(region)) {
    throw new CnosError('BAD_OPTION', `Semantic error: region '${written}' is not valid`, {
      hint: "write it in lower case letters, digits and '-', such as region = 'us-east-1'",
    })
  }
  if (region !== written.trim()) warn(`region '${written}' holds Unicode dashes; '${region}' is used`)
  return region
}
