import type { QueueMemory } from './wake-queue.js';

/** Reads an answer of `INFO memory`. Without a `maxmemory` Redis grows until its machine has no more. */
export function memoryIn(info: string): QueueMemory {
  const bytes = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: bytes('used_memory'), limit: bytes('maxmemory') || bytes('total_system_memory') };
}

/** The one that is nearest to its limit: entries of the queue all lie on one master of a cluster. */
export function fullest(memories: QueueMemory[]): QueueMemory {
  const share = ({ used, limit }: QueueMemory) => used / (limit || Infinity);
  return memories.reduce((most, memory) => (share(memory) >= share(most) ? memory : most), { used: 0, limit: 0 });
}
