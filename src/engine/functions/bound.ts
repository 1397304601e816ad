/** `body` with a name for `value`, which is written and computed once. */
export const bound = (value: string, name: string, body: string) =>
  `list_transform([${value}], lambda ${name}: ${body})[1]`
