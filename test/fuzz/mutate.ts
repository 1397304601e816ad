import { FRAGMENTS, LINE_BODIES, STATEMENTS } from './corpus.ts'
import type { Random } from './random.ts'

const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|\s+|[^\w\s]/g
const tokensOf = (text: string): string[] => text.match(TOKENS) ?? []

type Edit = (tokens: string[], random: Random, corpus: readonly string[]) => void

const EDITS: readonly Edit[] = [
  (tokens, random) => tokens.splice(random.below(tokens.length + 1), 0, random.pick(FRAGMENTS)),
  (tokens, random) => tokens.splice(random.below(tokens.length + 1), random.below(3), random.pick(FRAGMENTS)),
  (tokens, random) => tokens.splice(random.below(tokens.length + 1), 1 + random.below(3)),
  (tokens, random) => tokens.splice(random.below(tokens.length + 1)),
  (tokens, random) => {
    const from = random.below(tokens.length + 1)
    tokens.splice(from, 0, ...tokens.slice(from, from + 1 + random.below(6)))
  },
  (tokens, random, corpus) => {
    const other = tokensOf(random.pick(corpus))
    const from = random.below(other.length)
    tokens.splice(random.below(tokens.length + 1), random.below(4), ...other.slice(from, from + 1 + random.below(8)))
  },
  (tokens, random) => {
    const [a, b] = [random.below(tokens.length), random.below(tokens.length)]
    const held = tokens[a] ?? ''
    tokens[a] = tokens[b] ?? ''
    tokens[b] = held
  },
  (tokens, random) => {
    const at = random.below(tokens.length)
    tokens[at] = (tokens[at] ?? '').toUpperCase()
  },
  (tokens, random) => {
    const at = random.below(tokens.length)
    const nested = random.pick(['(', '((', '[', 'NOT ', '-', 'CAST('])
    tokens[at] = `${nested.repeat(1 + random.below(random.below(20) === 0 ? 3_000 : 4))}${tokens[at] ?? ''}`
  },
]

function mutate(text: string, random: Random, corpus: readonly string[]): string {
  const tokens = tokensOf(text)
  for (let edits = random.below(2 + random.below(3)); edits > 0; edits -= 1) random.pick(EDITS)(tokens, random, corpus)
  return tokens.join('')
}

/** A statement with none to three edits. */
export function mutatedStatement(random: Random): string {
  return mutate(random.pick(STATEMENTS), random, STATEMENTS)
}

/** A body of line protocol with edits of its text, and now and then of its bytes. */
export function mutatedLines(random: Random): Buffer {
  const body = Buffer.from(mutate(random.pick(LINE_BODIES), random, LINE_BODIES))
  if (body.length === 0 || random.below(3) > 0) return body
  for (let edits = random.below(3); edits > 0; edits -= 1) body[random.below(body.length)] = random.below(256)
  return body
}
