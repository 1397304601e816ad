import { CnosError } from '../errors/cnos-error.ts'
import { defineStoreDriver } from './store-driver.ts'

export const s3 = defineStoreDriver({
  schemes: ['s3'],
  connection: {},
  open() {
    throw new CnosError('UNSUPPORTED', 's3 is not available')
  },
})
