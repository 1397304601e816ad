import { fileFormats } from '../../src/format/registry.ts'
import { describeFileFormat } from './file-format.ts'

for (const format of fileFormats) describeFileFormat(format)
