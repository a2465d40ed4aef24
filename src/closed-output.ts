/** How shells see a program that has written to nobody. */
const BROKEN_PIPE = 141;

/** Ends the program when whoever reads it has seen enough: `platen jobs watch … --json | head -1`. */
export function endWithReader(output: NodeJS.EventEmitter, exit: (code: number) => void): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    exit(BROKEN_PIPE);
  });
}
