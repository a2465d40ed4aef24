import { statfs } from 'node:fs/promises';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.js';
import { Reading } from './reading.js';

const EVERY_MS = 15_000;

/** Room on the disks that this process writes to. `folders`: by what lies in them. */
export function measureDisks(metrics: Metrics, folders: Readonly<Record<string, string>>): void {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['folder'], registers: [metrics.registry] });
  const free = gauge('platen_disk_free_bytes', 'What may still be written to the disk of a folder.');
  const size = gauge('platen_disk_size_bytes', 'Size of the disk of a folder.');
  for (const [folder, path] of Object.entries(folders)) {
    const read = async () => {
      const { bavail, blocks, bsize } = await statfs(path);
      free.set({ folder }, bavail * bsize);
      size.set({ folder }, blocks * bsize);
    };
    const reading = new Reading(EVERY_MS, read, () => [free, size].forEach((each) => each.remove({ folder })));
    metrics.beforeReading(reading.refresh);
  }
}
