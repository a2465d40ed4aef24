/* Keeps the last lines of the console here: sending each on would let a chatty sketch flood the worker. */
platen.log = (() => {
  const LINES = 100;
  const LINE_LENGTH = 2_000;
  const lines = [];

  function show(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return value.stack ?? String(value);
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  }

  function add(...values) {
    lines.push(values.map(show).join(' ').slice(0, LINE_LENGTH));
    if (lines.length > LINES) lines.shift();
  }

  for (const name of ['log', 'info', 'debug', 'warn', 'error', 'trace']) console[name] = add;
  console.table = add;
  console.assert = (condition, ...values) => condition || add('Assertion failed:', ...values);
  console.dir = (value) => add(value);

  return { add, lines };
})();
