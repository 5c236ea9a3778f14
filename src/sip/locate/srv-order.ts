import type { SrvRecord } from './model.ts'

/**
 * SRV records in the order they are to be tried (RFC 2782): by priority; among equals by chance, in proportion to their
 * weights, those of weight 0 with a small one.
 *
 * @param random Numbers from 0 to 1, without 1.
 */
export function orderServices(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b)
  return priorities.flatMap((priority) =>
    drawn(
      records.filter((record) => record.priority === priority),
      random,
    ),
  )
}

/** RFC 2782, "Weight": a running sum, the unweighted first, and the first record that reaches the number drawn. */
function drawn(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const left = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0))
  const order: SrvRecord[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    const draw = Math.floor(random() * (total + 1))
    let sum = 0
    const at = left.findIndex(({ weight }) => {
      sum += weight
      return sum >= draw
    })
    order.push(...left.splice(at, 1))
  }
  return order
}

/** All of them, in an order of chance. */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const left = [...items]
  const order: T[] = []
  while (left.length > 0) order.push(...left.splice(Math.floor(random() * left.length), 1))
  return order
}
