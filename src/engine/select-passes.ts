import type { Abortable } from '../async/abort.ts'
import type { Session } from './engine.ts'
import type { RelationColumn } from './relation.ts'
import type { LoadedTable, RewriteContext } from './select-context.ts'
import { NO_LOCATION } from './select-json.ts'
import { type ParsedSelect, parseFromItem, parseTemplate } from './select-parse.ts'
import { rewriteQuery } from './select-query.ts'
import type { ScopeColumn } from './select-scope.ts'
import { columnNode, type Node, selectAll, subqueryItem, tableNode } from './select-tree.ts'
import { DATA_SCHEMA, engineTypeOf, type StoredTable } from './table.ts'

/** What stands in for a table the user named. */
export interface ResolvedTable {
  /**
   * A time-series table, read by the names of all its columns in stored order, so that one which is altered before it is
   * read never shows a column under the name of another. Or a FROM item, such as `data.t12` or `(VALUES (1)) AS v(a)`,
   * which is trusted: never made from unquoted user text.
   */
  readonly from: StoredTable | string
  /** The name its columns are qualified with, normally the table's own. The user's alias, if any, wins. */
  readonly alias: string
  /** Tenant, database and table, so that `tenant.db.t.c` and `db.t.c` are understood. Default: the parts as written. */
  readonly path?: readonly string[]
  /** Of a FROM item, when known: saves asking DuckDB. */
  readonly columns?: readonly RelationColumn[]
}

export interface SelectResolver {
  /**
   * Called once for every different table name that is not a CTE; unquoted names are folded already. `position` is
   * an index into the statement. Throws TABLE_NOT_FOUND, INSUFFICIENT_PRIVILEGES, PLANNING (another tenant).
   */
  table(parts: readonly string[], position: number): ResolvedTable
  /** `current_user`, `current_role`, `current_tenant` and `current_database`; those left out are NULL. */
  readonly sessionValues?: Readonly<Record<string, string | null>>
}

export interface TableReference extends ResolvedTable {
  readonly parts: readonly string[]
  /** Index into the user's statement. */
  readonly position: number
}

interface KnownTable extends LoadedTable {
  readonly reference: TableReference
}

/** Repeats a rewriting until all it asked for is loaded: what tables stand for, and the trees of templates. */
export class RewritePasses {
  readonly #session: Session
  readonly #parsed: ParsedSelect
  readonly #resolver: SelectResolver
  readonly #tables = new Map<string, KnownTable>()
  readonly #fields = new Set<string>()
  readonly #wantedTables = new Map<string, TableReference & { readonly from: string }>()
  readonly #wantedTemplates = new Set<string>()

  constructor(session: Session, parsed: ParsedSelect, resolver: SelectResolver) {
    this.#session = session
    this.#parsed = parsed
    this.#resolver = resolver
  }

  async run<T>(rewrite: (context: RewriteContext) => T, options: Abortable): Promise<T> {
    for (;;) {
      const result = rewrite(this.#context())
      if (this.#wantedTables.size === 0 && this.#wantedTemplates.size === 0) return result
      await this.#load(options)
    }
  }

  tables(): readonly TableReference[] {
    return [...this.#tables.values()].map((table) => table.reference)
  }

  /** The columns of all tables of the statement, as messages list them. */
  validFields(): readonly string[] {
    return [...this.#fields]
  }

  #context(): RewriteContext {
    const { source, now } = this.#parsed
    let names = 0
    this.#fields.clear()
    const context: RewriteContext = {
      source,
      now,
      sessionValues: this.#resolver.sessionValues ?? {},
      template: (text) => this.#template(text),
      table: (parts, location) => this.#table(parts, location),
      onTable: (alias, columns = []) => {
        for (const { name } of columns) this.#fields.add(`${alias}.${name}`)
      },
      onColumn: () => {},
      nextName: () => {
        names += 1
        return `cte_${names}`
      },
      query: (node, scope) => rewriteQuery(context, node, scope),
    }
    return context
  }

  #template(text: string): Node | undefined {
    const tree = TEMPLATES.get(text)
    if (tree === undefined) this.#wantedTemplates.add(text)
    return tree
  }

  #table(parts: readonly string[], location: number): LoadedTable | undefined {
    const key = JSON.stringify(parts)
    const known = this.#tables.get(key)
    if (known !== undefined || this.#wantedTables.has(key)) return known
    const position = this.#parsed.source.indexOf(Math.max(0, location))
    const reference = { ...this.#resolver.table(parts, position), parts, position }
    const { from, columns } = reference
    if (typeof from !== 'string') return this.#know(key, reference, storedItem(from), storedColumns(from))
    const item = FROM_ITEMS.get(from)
    if (item && columns) return this.#know(key, reference, item, columns)
    this.#wantedTables.set(key, { ...reference, from })
    return undefined
  }

  #know(key: string, reference: TableReference, from: Node, columns: readonly RelationColumn[]): KnownTable {
    const { alias, path = reference.parts } = reference
    const table = { from, alias, path, columns: columns.map(scopeColumn), reference }
    this.#tables.set(key, table)
    return table
  }

  async #load(options: Abortable): Promise<void> {
    for (const text of this.#wantedTemplates) TEMPLATES.set(text, await parseTemplate(this.#session, text, options))
    for (const [key, reference] of this.#wantedTables) {
      const from = await this.#fromItem(reference.from, options)
      const columns = reference.columns ?? (await this.#columnsOf(reference.from, options))
      this.#know(key, reference, from, columns)
    }
    this.#wantedTemplates.clear()
    this.#wantedTables.clear()
  }

  async #fromItem(text: string, options: Abortable): Promise<Node> {
    const known = FROM_ITEMS.get(text)
    if (known) return known
    const item = await parseFromItem(this.#session, text, options)
    if (FROM_ITEMS.size === MOST_FROM_ITEMS) FROM_ITEMS.clear()
    if (text.length <= LONGEST_FROM_ITEM) FROM_ITEMS.set(text, item)
    return item
  }

  #columnsOf(from: string, options: Abortable): Promise<readonly RelationColumn[]> {
    return this.#session.describe(`SELECT * FROM ${from}`, options)
  }
}

const scopeColumn = ({ name, type }: RelationColumn): ScopeColumn => ({ name, type })

/** Trees of templates, by text. They depend on nothing but the text. */
const TEMPLATES = new Map<string, Node>()

/** What parsing `(SELECT a, b FROM data.t12)` gives. */
function storedItem({ name, schema }: StoredTable): Node {
  const columns = schema.columns.map((column) => columnNode([column.name]))
  return subqueryItem({ ...selectAll(tableNode(name, '', NO_LOCATION, DATA_SCHEMA)), select_list: columns }, '')
}

const storedColumns = ({ schema }: StoredTable): readonly RelationColumn[] =>
  schema.columns.map(({ name, type }) => ({ name, type: engineTypeOf(type) }))

/** Trees of FROM items, by text: the system tables that are asked for again and again. A few MB at most. */
const FROM_ITEMS = new Map<string, Node>()
const MOST_FROM_ITEMS = 500
const LONGEST_FROM_ITEM = 2_000
