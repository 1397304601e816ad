/**
 * A pattern as the `glob` crate reads it with its default options: `?` one character, `*` any run, `**` the same,
 * `[abc]`, `[a-z]`, `[!a]` one of a set; `*` and `?` also match `/`.
 */
export function globToRegExp(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string
    if (character === '*') source += '.*'
    else if (character === '?') source += '.'
    else if (character === '[') {
      const set = /^\[(!?)(\]?[^\]]*)\]/.exec(pattern.slice(at))
      if (set) {
        source += `[${set[1] ? '^' : ''}${(set[2] as string).replace(/[\\\]^[]/g, '\\$&')}]`
        at += set[0].length - 1
      } else source += '\\['
    } else source += character.replace(/[.+^${}()|\\/\]]/g, '\\$&')
  }
  return new RegExp(`^${source}$`, 'su')
}
