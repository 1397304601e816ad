import { foldIdentifier, nextToken, tokenText } from '../sql/tokenizer.ts'

/** WHERE apart from what follows it. */
export interface Tail {
  /** `WHERE condition`, or empty. */
  readonly where: string
  readonly condition: string
  /** ORDER BY, LIMIT, OFFSET as written; may be empty. */
  readonly rest: string
}

/** Splits `[WHERE …] [ORDER BY …] [LIMIT …] [OFFSET …]` at the first keyword outside parentheses that ends the WHERE. */
export function splitTail(text: string): Tail {
  let depth = 0
  let conditionStart: number | undefined
  for (let token = nextToken(text, 0); token.kind !== 'end'; token = nextToken(text, token.end)) {
    const word = foldIdentifier(tokenText(text, token))
    if (token.kind === 'symbol' && word === '(') depth += 1
    if (token.kind === 'symbol' && word === ')') depth -= 1
    if (token.kind !== 'word' || depth > 0) continue
    if (word === 'where' && conditionStart === undefined) conditionStart = token.end
    if (word === 'order' || word === 'limit' || word === 'offset') return cut(text, conditionStart, token.start)
  }
  return cut(text, conditionStart, text.length)
}

function cut(text: string, conditionStart: number | undefined, end: number): Tail {
  const condition = conditionStart === undefined ? '' : text.slice(conditionStart, end).trim()
  return { where: condition === '' ? '' : `WHERE ${condition}\n`, condition, rest: text.slice(end).trim() }
}
