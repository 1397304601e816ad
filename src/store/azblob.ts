import { CnosError } from '../errors/cnos-error.ts'
import { defineStoreDriver } from './store-driver.ts'

export const azblob = defineStoreDriver({
  schemes: ['azblob'],
  connection: {},
  open() {
    throw new CnosError('UNSUPPORTED', 'azblob is not available')
  },
})
