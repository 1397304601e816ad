/** An interval as Arrow spells it: `0 years 14 mons 3 days 4 hours 5 mins 6.500000000 secs`. */
export function intervalText(interval: string): string {
  const part = (name: string) => `date_part('${name}', ${interval})`
  const micros = part('microsecond')
  const sign = `CASE WHEN ${micros} < 0 THEN '-' ELSE '' END`
  const seconds = `abs(${micros}) // 1000000, '.', lpad(CAST(abs(${micros}) % 1000000 AS VARCHAR), 6, '0'), '000 secs'`
  const months = `12 * ${part('year')} + ${part('month')}, ' mons '`
  const text = `'0 years ', ${months}, ${part('day')}, ' days ', ${part('hour')}, ' hours ', ${part('minute')}, ' mins '`
  return `CASE WHEN ${interval} IS NULL THEN NULL ELSE concat(${text}, ${sign}, ${seconds}) END`
}
