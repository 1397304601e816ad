import type { Engine } from '../engine/engine.ts'
import type { Relation } from '../engine/relation.ts'
import type { CopyLocation, CopyStats } from './location.ts'
import { type UnloadOptions, unloadJob } from './unload-job.ts'
import { unloadLocal } from './unload-local.ts'
import { unloadToStore } from './unload-store.ts'

/**
 * Writes the relation's rows below the location as files of bounded size. Existing files stay, zero rows write nothing.
 * On failure or abort nothing of this statement is left behind, neither file, object, upload nor spool; objects that a
 * store does not let go are named in the hint. Throws PLANNING for a type the format has no place for, NO_SPACE,
 * PATH_NOT_ALLOWED and what the store throws.
 */
export async function unload(
  engine: Engine,
  relation: Relation,
  location: CopyLocation,
  options: UnloadOptions,
): Promise<CopyStats> {
  const job = unloadJob(engine, relation, location, options)
  const { files } = location.store
  try {
    return await (files ? unloadLocal(job, files) : unloadToStore(job))
  } catch (error) {
    if (options.signal?.aborted || !relation.explain) throw error
    throw await relation.explain(error, engine, { signal: options.signal })
  }
}
