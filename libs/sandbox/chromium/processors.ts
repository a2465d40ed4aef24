import { readFileSync } from 'node:fs';

/** The numbers of the processors that this process may run on. Empty where that cannot be told: beyond Linux. */
export function allowedProcessors(): number[] {
  try {
    return processorsOf(readFileSync('/proc/self/status', 'utf8'));
  } catch {
    return [];
  }
}

/** Reads the kernel's list, such as `0-3,8`. */
export function processorsOf(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').filter(Boolean).flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
