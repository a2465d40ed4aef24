import { cpus, totalmem } from 'node:os';

/** Where it was measured, in a line. */
export function machine(): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const { platform, arch, version } = process;
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${memory}, ${platform} ${arch}, Node ${version}`;
}
