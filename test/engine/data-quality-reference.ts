/** A point of a series: time in any unit, and a value that may be NaN or infinite. */
export type Point = readonly [time: number, value: number]

export interface Quality {
  readonly completeness: number
  readonly consistency: number
  readonly timeliness: number
  readonly validity: number
}

/** The published procedure, step by step, over points in order: a window of ten times that loses what was judged. */
export function qualityOf(points: readonly Point[]): Quality {
  const times = points.map(([time]) => time)
  const finite = points.filter(([, value]) => Number.isFinite(value))
  const { missing, redundant, late } = judgeTimes(times)
  const special = points.length - finite.length
  const values = points.map(([time, value]) => (Number.isFinite(value) ? value : onLine(finite, time)))
  const changes = differences(values)
  const speeds = changes.map((change, at) => change / ((times[at + 1] as number) - (times[at] as number)))
  const odd = [values, changes, speeds, differences(speeds)].reduce((sum, list) => sum + outliers(list), 0)
  return {
    completeness: 1 - (missing + special) / (points.length + missing),
    consistency: 1 - redundant / points.length,
    timeliness: 1 - late / points.length,
    validity: 1 - (0.25 * odd) / points.length,
  }
}

function judgeTimes(times: readonly number[]) {
  const usual = median(differences(times))
  const total = { missing: 0, redundant: 0, late: 0 }
  const window = times.slice(0, 10)
  let next = window.length
  const gapBefore = (at: number) => ((window[at] as number) - (window[at - 1] as number)) / usual
  while (window.length > 1) {
    const gap = gapBefore(1)
    if (gap <= 0.5) {
      window.splice(1, 1)
      total.redundant += 1
    } else if (gap >= 2 && gap <= 9) {
      const wanted = Math.round(gap - 1)
      let late = 0
      for (let at = 2; at < window.length && late < wanted && gapBefore(at) < 2; ) {
        if (gapBefore(at) > 0.5) at += 1
        else {
          window.splice(at, 1)
          late += 1
        }
      }
      total.late += late
      total.missing += wanted - late
    }
    window.shift()
    while (window.length < 10 && next < times.length) {
      window.push(times[next] as number)
      next += 1
    }
  }
  return total
}

/** On the line through the finite points around a time, or through the two nearest at an end. */
function onLine(finite: readonly Point[], time: number): number {
  const after = finite.findIndex(([at]) => at > time)
  const right = after === -1 ? finite.length - 1 : Math.max(1, after)
  const [fromTime, from] = finite[right - 1] as Point
  const [toTime, to] = finite[right] as Point
  return from + ((to - from) * (time - fromTime)) / (toTime - fromTime)
}

const differences = (list: readonly number[]) => list.slice(1).map((value, at) => value - (list[at] as number))

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
}

function outliers(list: readonly number[]): number {
  if (list.length === 0) return 0
  const middle = median(list)
  const distances = list.map((value) => Math.abs(value - middle))
  const limit = 3 * (1.4826 * median(distances))
  return distances.filter((distance) => distance > limit).length
}
