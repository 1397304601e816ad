/** A tree with every `offset` set to 0: printing moves text, and nothing else may change. */
export function withoutOffsets(value: unknown): unknown {
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, withoutOffsets(item)]))
  if (Array.isArray(value)) return value.map(withoutOffsets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === 'offset' ? 0 : withoutOffsets(item)]),
  )
}
