import { type CopyAccess, type CopyDirection, type CopyLocation, openLocation } from '../copy/location.ts'
import type { CopyLocationClauses } from '../sql/ast.ts'
import type { PlanContext } from './context.ts'
import { isAdministrator } from './lookup.ts'

/** Opens a location with what the session's user may reach. */
export function openCopyLocation(
  context: PlanContext,
  clauses: CopyLocationClauses,
  direction: CopyDirection,
): CopyLocation {
  const access: CopyAccess = {
    isAdministrator: isAdministrator(context),
    copyRoots: context.copyRoots,
    storeContext: context.storeContext,
    cwd: context.cwd,
  }
  return openLocation(clauses, direction, access)
}
