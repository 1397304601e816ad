import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { parseByteSize } from '../../model/byte-size.ts'

/** The bytes of `--memory 1GiB` and the like. Throws USAGE. */
export function parseSizeFlag(text: string, flag: string): number {
  try {
    return Number(parseByteSize(text, flag))
  } catch (error) {
    if (!isCnosError(error)) throw error
    throw new CnosError('USAGE', `${flag}: '${text}' is not a size`, { hint: `write ${flag} 512MiB or ${flag} 4GiB` })
  }
}
