/** In a process of the benchmark: ends with the benchmark, says when it is ready, answers its requests. */
export function serveBench<Request>(ready: string, answer?: (request: Request) => Promise<unknown>): void {
  process.on('disconnect', () => process.exit());
  if (answer) {
    process.on('message', (request: Request) => {
      answer(request).then(
        (value) => process.send?.({ value }),
        (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
      );
    });
  }
  process.stdout.write(`ready ${ready}\n`);
}

/** A variable that whoever started this process has set. */
export function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
