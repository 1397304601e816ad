import { CnosError } from '../errors/cnos-error.ts'
import { defineStoreDriver } from './store-driver.ts'

export const gcs = defineStoreDriver({
  schemes: ['gcs'],
  connection: {},
  open() {
    throw new CnosError('UNSUPPORTED', 'gcs is not available')
  },
})
